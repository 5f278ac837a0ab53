"""Replies: pacing, what counts as heard, ends, repeats, and what goes wrong."""

from services.conversation.domain import events, told
from services.conversation.domain.choices import Choices, CorrectionStyle
from services.conversation.domain.commands import (
    ReportHeard,
    Respond,
    Speak,
    StoreReply,
    StoreSlip,
    StoreTurn,
    StoreUsage,
)
from services.conversation.domain.things import (
    Failure,
    Line,
    Outcome,
    Progress,
    ProviderCost,
    Slip,
    SlipKind,
    Speaker,
    Usage,
)
from tests.services.conversation.domain.stage import PIECE, RATE, Stage

SLIP = Slip(SlipKind.GRAMMAR, "goed", "went", "", 2, 6, "rules")


def used(micros: int) -> Usage:
    return Usage(output_tokens=micros, cost_micros=micros, provider_costs=(ProviderCost("openai", micros),))


def sent_samples(stage: Stage) -> int:
    return sum(len(event.pcm) // 2 for event in stage.told(told.ReplyAudio))


def test_the_tutor_opens_a_new_conversation() -> None:
    stage = Stage(new=True)
    assert stage.last(Respond).turn_id == ""
    stage.makes("Welcome.")
    assert stage.told(told.ReplyStarted)[0].turn_id == ""


def test_a_reply_is_over_when_all_of_it_is_reported_as_played() -> None:
    stage = Stage(new=True)
    reply = stage.makes("Welcome.", 3, state="s2")
    assert stage.told(told.ReplyAudioEnded)[0].total_samples == 3 * PIECE
    stage.plays(reply, PIECE)
    assert not stage.told(told.ReplyFinished)
    stage.plays(reply, 3 * PIECE)
    (finished,) = stage.told(told.ReplyFinished)
    assert (finished.outcome, finished.heard_text, finished.sequence) == (Outcome.HEARD, "Welcome.", 1)
    assert stage.last(StoreReply).tutor_state == "s2"


def test_what_is_never_reported_was_never_heard() -> None:
    stage = Stage(new=True)
    stage.makes("Welcome.", 3, state="s2")
    stage.advance(5.0)
    (finished,) = stage.told(told.ReplyFinished)
    assert (finished.outcome, finished.heard_text, finished.heard_samples, finished.sequence) == (1, "", 0, 0)
    assert not stage.all(StoreReply)
    stage.says("Hello?")
    stage.advance(1.0)
    assert (stage.last(Respond).lines, stage.last(Respond).tutor_state) == ((), "")


def test_more_than_was_sent_can_not_have_been_heard() -> None:
    stage = Stage(new=True)
    reply = stage.makes("Welcome.", 3, ends=False)
    stage.plays(reply, 10 * RATE)
    stage.ends(reply)
    assert stage.told(told.ReplyFinished)[0].heard_samples == 3 * PIECE


def test_a_report_never_goes_back() -> None:
    stage = Stage(new=True)
    reply = stage.makes("One two three.", 3, words=True)
    stage.plays(reply, 2 * PIECE)
    stage.plays(reply, 10)
    stage.happen(events.CancelAsked(""))
    assert stage.told(told.ReplyFinished)[0].heard_text == "One two"


def test_sound_is_sent_at_most_two_seconds_ahead() -> None:
    stage = Stage(new=True)
    stage.makes("A long speech.", 100)
    assert 2.0 * RATE <= sent_samples(stage) <= 2.1 * RATE + PIECE
    stage.advance(1.0)
    assert 3.0 * RATE <= sent_samples(stage) <= 3.1 * RATE + PIECE
    stage.advance(10.0)
    assert sent_samples(stage) == 10 * RATE
    assert stage.told(told.ReplyAudioEnded)


def test_text_comes_no_earlier_than_its_sound() -> None:
    stage = Stage(new=True)
    stage.makes("First. ", 30, ends=False)
    stage.makes("Second.", 1)
    assert [event.text for event in stage.told(told.ReplyText)] == ["First. "]
    stage.advance(5.0)
    assert [event.text for event in stage.told(told.ReplyText)] == ["First. ", "Second."]


def test_a_reply_longer_than_two_minutes_is_cut_not_kept_in_memory() -> None:
    stage = Stage(new=True)
    reply = stage.asked
    for second in range(130):
        stage.happen(events.ReplyAudioMade(reply, second * RATE, b"\0\x20" * RATE))
    assert stage.cancelled() == [reply]


def test_the_client_can_stop_a_reply() -> None:
    stage = Stage(new=True)
    reply = stage.makes("One two three four.", 4, words=True, ends=False)
    stage.plays(reply, 2 * PIECE + 5)
    stage.happen(events.CancelAsked(reply))
    (finished,) = stage.told(told.ReplyFinished)
    assert (finished.outcome, finished.heard_text) == (Outcome.CANCELLED, "One two")
    assert stage.cancelled() == [reply]
    assert stage.last(ReportHeard).samples == 2 * PIECE + 5


def test_cancelling_an_unknown_reply_does_nothing() -> None:
    stage = Stage(new=True)
    stage.makes("Welcome.", 30)
    stage.happen(events.CancelAsked("rep_other"))
    assert not stage.told(told.ReplyFinished)


def test_a_repeat_is_spoken_slower_and_is_not_part_of_the_talk() -> None:
    stage = Stage(new=True)
    first = stage.makes("Welcome.")
    stage.plays(first, 3 * PIECE)
    stage.happen(events.RepeatAsked("", 0.0))
    asked = stage.last(Speak)
    assert (asked.text, asked.speaking_rate) == ("Welcome.", 0.75)
    again = stage.makes("Welcome.")
    stage.plays(again, 3 * PIECE)
    assert stage.told(told.ReplyFinished)[-1].sequence == 0
    assert len(stage.all(StoreReply)) == 1
    stage.says("Thanks.")
    stage.advance(1.0)
    assert stage.last(Respond).lines == (Line(Speaker.TUTOR, "Welcome."),)


def test_a_repeat_of_what_never_was_is_an_error() -> None:
    stage = Stage()
    stage.happen(events.RepeatAsked("rep_none", 1.0))
    assert stage.told(told.ErrorRaised)[0].failure.field == "repeat_reply.reply_id"


def test_an_engine_that_gives_nothing_is_told_of_and_the_session_goes_on() -> None:
    stage = Stage()
    stage.says("Hello.")
    stage.advance(10.0)
    assert stage.told(told.ErrorRaised)[0].failure.reason == "PROVIDER_FAILED"
    stage.says("Hello again.")
    stage.answers("Hi.")
    assert stage.told(told.ReplyText)[-1].text == "Hi."


def test_an_engine_that_stops_in_the_middle_ends_the_reply_as_failed() -> None:
    stage = Stage(new=True)
    reply = stage.makes("Welcome to", 3, ends=False)
    stage.plays(reply, 3 * PIECE)
    stage.advance(20.0)
    assert stage.told(told.ReplyFinished)[0].outcome is Outcome.FAILED
    assert stage.told(told.ReplyFinished)[0].heard_text == "Welcome to"


def test_a_reply_that_failed_is_told_with_its_reason() -> None:
    stage = Stage(new=True)
    failure = Failure("BUDGET_EXHAUSTED", "The budget is used up.")
    stage.happen(events.ReplyMade(stage.asked, events.MadeEnd.FAILED, failure=failure))
    assert stage.told(told.ErrorRaised)[0].failure == failure
    stage.says("Hello.")
    stage.answers("Hi.")
    assert stage.told(told.ReplyAudio)


def test_a_draft_that_failed_is_asked_for_again_when_the_turn_is_over() -> None:
    stage = Stage()
    stage.says("Hello.", probability=0.5)
    stage.happen(events.ReplyMade(stage.asked, events.MadeEnd.FAILED))
    stage.answers("Hi.")
    assert len(stage.all(Respond)) == 2
    assert stage.told(told.ReplyText)[0].text == "Hi."


def test_a_reply_is_stored_with_what_was_used_for_it_and_for_what_was_never_heard() -> None:
    stage = Stage()
    stage.says("Hello.", probability=0.5)
    stage.happen(events.ReplyMade(stage.asked, events.MadeEnd.FAILED, usage=used(300)))
    stage.advance(2.0)
    first = stage.makes("Hi.", 3, ends=False)
    stage.happen(events.ReplyMade(first, events.MadeEnd.COMPLETE, usage=used(500)))
    stage.plays(first, 3 * PIECE)
    stage.says("Bye.")
    stage.advance(2.0)
    second = stage.makes("Bye.", 3, ends=False)
    stage.happen(events.ReplyMade(second, events.MadeEnd.COMPLETE, usage=used(70)))
    stage.plays(second, 3 * PIECE)
    assert [command.record.usage for command in stage.all(StoreReply)] == [used(300) + used(500), used(70)]
    assert (used(300) + used(500)).provider_costs == (ProviderCost("openai", 800),)


def test_what_was_used_after_the_last_reply_is_stored_when_the_session_is_over() -> None:
    stage = Stage()
    stage.says("Hello.", probability=0.5)
    stage.happen(events.ReplyMade(stage.asked, events.MadeEnd.FAILED, usage=used(300)))
    stage.happen(events.EndAsked(end_conversation=False))
    assert not stage.all(StoreUsage)
    # The reply that was broken off is told of when nobody is there any more.
    stage.happen(events.ReplyMade(stage.asked, events.MadeEnd.CANCELLED, usage=used(70)))
    stage.happen(events.Vanished())
    stage.happen(events.Vanished())
    assert [command.record.usage for command in stage.all(StoreUsage)] == [used(300) + used(70)]


def test_progress_is_told_when_the_reply_is_kept() -> None:
    stage = Stage(new=True)
    reply = stage.makes("Welcome.", 3, ends=False)
    progress = Progress("cafe", ("order",), 2, finished=False)
    stage.happen(events.ReplyMade(reply, events.MadeEnd.COMPLETE, "s", progress))
    assert not stage.told(told.ScenarioProgressed)
    stage.plays(reply, 3 * PIECE)
    assert stage.told(told.ScenarioProgressed)[0].progress == progress


def test_slips_count_when_their_turn_does() -> None:
    stage = Stage()
    stage.says("I goed home.", probability=0.5)
    draft = stage.asked
    turn_id = stage.last(Respond).turn_id
    stage.happen(events.SlipFound(turn_id, draft, SLIP))
    assert not stage.told(told.FeedbackGiven)
    stage.advance(1.0)
    assert [event.slip for event in stage.told(told.FeedbackGiven)] == [SLIP]
    assert [command.record.turn_id for command in stage.all(StoreSlip)] == [turn_id]


def test_slips_of_a_draft_thrown_away_are_dropped() -> None:
    stage = Stage()
    stage.says("I goed", probability=0.1)
    draft, turn_id = stage.asked, stage.last(Respond).turn_id
    stage.starts_to_speak()
    stage.happen(events.SlipFound(turn_id, draft, SLIP))
    stage.advance(1.0)
    stage.pauses()
    stage.is_understood("I goed home.")
    stage.advance(1.0)
    assert not stage.told(told.FeedbackGiven)


def test_slips_come_late_and_are_kept_back_for_the_report_where_the_learner_wants_that() -> None:
    stage = Stage(Choices(correction_style=CorrectionStyle.AFTERWARDS))
    stage.says("I goed home.")
    reply = stage.answers("I see.")
    stage.plays(reply, 3 * PIECE)
    stage.happen(events.SlipFound(stage.last(Respond).turn_id, reply, SLIP))
    assert stage.all(StoreSlip)
    assert not stage.told(told.FeedbackGiven)


def test_a_loudspeaker_that_stands_still_is_told_of_and_the_talk_goes_on() -> None:
    stage = Stage()
    stage.says("A tea, please.")
    reply = stage.answers("Of course.", 10)
    stage.plays(reply, 2 * PIECE)
    stage.advance(4.0)
    assert [error.failure.reason for error in stage.told(told.ErrorRaised)] == ["TOO_SLOW"]
    assert stage.told(told.ReplyFinished)[-1].heard_samples == 2 * PIECE
    stage.says("And a cake.")
    assert stage.answers("Here you are.") != reply
    assert len(stage.all(StoreTurn)) == 2


def test_a_client_that_never_reports_is_not_complained_of() -> None:
    stage = Stage()
    stage.says("A tea, please.")
    stage.answers("Of course.", 10)
    stage.advance(5.0)
    assert stage.told(told.ReplyFinished)
    assert not stage.told(told.ErrorRaised)


def test_of_a_reply_whose_words_have_not_come_yet_sound_was_heard_and_no_text() -> None:
    stage = Stage(new=True)
    reply = stage.asked
    stage.makes_sound(reply, 10)
    stage.advance(0.3)
    stage.plays(reply, 3 * PIECE)
    stage.starts_to_speak()
    stage.advance(0.4)
    stage.is_understood("Excuse me")
    (finished,) = stage.told(told.ReplyFinished)
    assert (finished.heard_text, finished.heard_samples) == ("", 3 * PIECE)
