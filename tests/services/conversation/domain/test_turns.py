"""Turns: revisions, waits, speculation, commit."""

from itertools import pairwise

import pytest

from services.conversation.domain import events, told
from services.conversation.domain.choices import Choices, Level, Patience, TurnTaking
from services.conversation.domain.commands import Recognize, Respond, StoreTurn
from services.conversation.domain.things import Failure, Line, Speaker
from services.conversation.domain.turns import Waits
from tests.services.conversation.domain.stage import Stage


def test_a_sure_end_is_waited_out_for_a_quarter_of_a_second_from_the_last_sample() -> None:
    stage = Stage()
    stage.says("A coffee, please.", probability=1.0)
    stage.advance(0.24)
    assert not stage.all(StoreTurn)
    stage.advance(0.02)
    assert [command.record.text for command in stage.all(StoreTurn)] == ["A coffee, please."]


def test_an_unsure_end_is_waited_out_longer() -> None:
    stage = Stage()
    stage.says("I would like", probability=0.0)
    stage.advance(1.45)
    assert not stage.all(StoreTurn)
    stage.advance(0.1)
    assert stage.all(StoreTurn)


def test_the_wait_grows_without_a_step_as_the_end_gets_less_likely() -> None:
    waits = [Waits().after(p / 1000, Choices()) for p in range(1001)]
    assert waits == sorted(waits, reverse=True)
    assert max(a - b for a, b in pairwise(waits)) < 0.003


def test_hardly_any_doubt_hardly_lengthens_the_wait_and_much_doubt_makes_it_almost_the_longest() -> None:
    waits = Waits()
    assert waits.after(0.95, Choices()) < waits.shortest_s + 0.05
    assert waits.after(0.1, Choices()) > waits.longest_s - 0.1


@pytest.mark.parametrize(
    ("shorter", "longer"),
    [
        (Choices(patience=Patience.QUICK), Choices(patience=Patience.NORMAL)),
        (Choices(patience=Patience.NORMAL), Choices(patience=Patience.PATIENT)),
        (Choices(level=Level.C1), Choices(level=Level.A1)),
    ],
)
def test_patience_and_level_stretch_the_wait(shorter: Choices, longer: Choices) -> None:
    assert Waits().after(0.4, shorter) < Waits().after(0.4, longer)
    assert Waits().after(1.0, shorter) == Waits().after(1.0, longer) == 0.25


def test_speech_that_goes_on_makes_the_same_turn_a_revision_later() -> None:
    stage = Stage()
    stage.says("I would like", probability=0.2)
    stage.advance(0.5)
    stage.starts_to_speak()
    first, second = stage.told(told.SpeechStarted)
    assert (second.turn_id, second.revision) == (first.turn_id, 2)
    stage.advance(0.5)
    stage.pauses(1.0)
    asked = stage.last(Recognize)
    assert asked.from_sample == first.at_sample
    stage.is_understood("I would like a tea.")
    stage.advance(0.6)
    assert [(c.record.text, c.record.revision) for c in stage.all(StoreTurn)] == [("I would like a tea.", 2)]


def test_a_reply_made_ahead_stays_inside_until_the_turn_is_over() -> None:
    stage = Stage()
    stage.says("Hello.", probability=0.5)
    stage.makes("Hello to you.")
    assert not stage.told(told.ReplyStarted)
    stage.advance(1.0)
    assert stage.told(told.ReplyStarted)
    assert len(stage.all(Respond)) == 1
    assert stage.told(told.ReplyMeasured)[0].ledger.speculative


def test_a_reply_made_ahead_is_thrown_away_where_the_learner_goes_on() -> None:
    stage = Stage()
    stage.says("Hello", probability=0.2)
    draft = stage.asked
    stage.starts_to_speak()
    assert stage.cancelled() == [draft]
    stage.happen(events.ReplyTextMade(draft, "stale"))
    stage.makes_sound(draft, 2)
    stage.advance(0.5)
    stage.pauses(1.0)
    stage.is_understood("Hello there")
    stage.answers("Fresh.")
    assert {event.text for event in stage.told(told.ReplyText)} == {"Fresh."}
    assert draft not in {event.reply_id for event in stage.told(told.ReplyAudio)}


def test_at_most_three_replies_are_made_ahead_for_a_turn() -> None:
    stage = Stage()
    for words in ("one", "one two", "one two three", "one two three four"):
        stage.says(words, probability=0.1)
        stage.advance(0.2)
    assert len(stage.all(Respond)) == 3
    stage.advance(2.0)
    assert stage.last(Respond).turn_text == "one two three four"


def test_a_transcript_of_an_earlier_revision_is_dropped() -> None:
    stage = Stage()
    stage.starts_to_speak()
    stage.advance(0.5)
    stage.pauses(0.2)
    stale = stage.last(Recognize)
    stage.starts_to_speak()
    stage.happen(events.TextRecognised(stale.turn_id, stale.hearing, "stale", ()))
    assert not stage.told(told.TranscriptRevised)


def test_the_turn_waits_for_its_transcript() -> None:
    stage = Stage()
    stage.starts_to_speak()
    stage.advance(1.0)
    stage.pauses(1.0)
    stage.advance(0.8)
    assert not stage.all(StoreTurn)
    stage.is_understood("Late but there.")
    assert stage.all(StoreTurn)


def test_committed_is_told_only_when_it_is_stored_and_the_voice_does_not_wait_for_it() -> None:
    stage = Stage(stores=False)
    stage.says("Hello.")
    stage.answers("Hi.")
    assert stage.told(told.ReplyAudio)
    assert not stage.told(told.TurnCommitted)
    stage.happen(stage.stored(stage.last(StoreTurn)))
    assert [event.sequence for event in stage.told(told.TurnCommitted)] == [1]


def test_a_turn_that_could_not_be_stored_is_not_called_committed() -> None:
    stage = Stage(stores=False)
    stage.says("Hello.")
    stage.advance(1.0)
    turn = stage.last(StoreTurn).record
    failure = Failure("SERVICE_UNAVAILABLE", "The database is away.", retryable=True)
    stage.happen(events.StoringFailed(turn.turn_id, failure))
    assert not stage.told(told.TurnCommitted)
    assert stage.told(told.ErrorRaised)[0].failure == failure
    stage.makes("Hi.")
    assert stage.told(told.ReplyAudio)


def test_noise_is_no_turn() -> None:
    stage = Stage()
    stage.says("")
    stage.advance(3.0)
    assert not stage.all(StoreTurn)
    assert not stage.all(Respond)
    stage.says("Now I speak.")
    stage.advance(1.0)
    assert stage.all(StoreTurn)


def test_the_ledger_adds_up() -> None:
    stage = Stage()
    stage.says("Hello.")
    stage.advance(0.4)
    reply = stage.asked
    stage.happen(events.ReplyTextMade(reply, "Hi."))
    stage.advance(0.2)
    stage.happen(events.ReplyAudioMade(reply, 0, b"\0\0" * 2400 + b"\x00\x20" * 2400))
    ledger = stage.told(told.ReplyMeasured)[0].ledger
    stages = {each.name: round(each.duration_ms) for each in ledger.stages}
    assert stages == {
        "endpoint": 250, "recognition": 0, "model": 150, "speech": 200, "mesh": 0, "leading_silence": 100,
    }  # fmt: skip
    assert ledger.total_ms == pytest.approx(700)


def test_a_held_turn_is_over_when_it_is_released() -> None:
    stage = Stage()
    stage.happen(events.TurnHeld(held=True))
    stage.says("Let me think")
    stage.advance(60.0)
    assert not stage.all(StoreTurn)
    stage.happen(events.TurnHeld(held=False))
    assert stage.all(StoreTurn)


def test_the_learner_can_end_the_turn_in_the_middle_of_speech() -> None:
    stage = Stage()
    stage.starts_to_speak()
    stage.advance(1.0)
    stage.happen(events.CommitAsked(stage.sample, stage.now))
    assert stage.last(Recognize).to_sample == stage.sample
    stage.is_understood("That is all")
    assert stage.last(StoreTurn).record.text == "That is all"


def test_with_push_to_talk_silence_ends_nothing() -> None:
    stage = Stage(Choices(turn_taking=TurnTaking.PUSH_TO_TALK))
    stage.says("Well")
    stage.advance(30.0)
    assert not stage.all(StoreTurn)
    stage.happen(events.CommitAsked(stage.sample, stage.now))
    assert stage.last(StoreTurn).record.text == "Well"


def test_with_push_to_talk_speech_interrupts_nothing() -> None:
    stage = Stage(Choices(turn_taking=TurnTaking.PUSH_TO_TALK), new=True)
    stage.makes("Welcome.", 10)
    stage.says("Wait, wait, wait, wait")
    assert not stage.told(told.ReplyPaused)


def test_a_commit_without_speech_does_nothing() -> None:
    stage = Stage()
    stage.forget()
    assert stage.happen(events.CommitAsked(0, stage.now)) == []


def test_a_typed_turn_is_committed_at_once() -> None:
    stage = Stage()
    stage.happen(events.TextSubmitted("Hello in writing."))
    (committed,) = stage.told(told.TurnCommitted)
    assert (committed.text, committed.typed) == ("Hello in writing.", True)
    stage.makes("Hi.")
    assert stage.told(told.ReplyAudio)
    assert not stage.told(told.ReplyMeasured)


def test_a_typed_turn_takes_with_it_what_was_said_just_before() -> None:
    stage = Stage()
    stage.says("I am from", probability=0.0)
    stage.happen(events.TextSubmitted("Łódź"))
    assert [command.record.text for command in stage.all(StoreTurn)] == ["I am from", "Łódź"]
    assert stage.last(Respond).lines == (Line(Speaker.LEARNER, "I am from"),)


def test_an_earlier_conversation_goes_on_where_it_was() -> None:
    before = (Line(Speaker.TUTOR, "Hello."), Line(Speaker.LEARNER, "Hi."))
    stage = Stage(lines=before, tutor_state="s1")
    assert not stage.all(Respond)
    stage.says("Where were we?")
    stage.advance(1.0)
    asked = stage.last(Respond)
    assert (asked.lines, asked.tutor_state) == (before, "s1")


def test_the_recogniser_that_gives_nothing_costs_one_turn_not_the_session() -> None:
    stage = Stage()
    stage.starts_to_speak()
    stage.advance(1.0)
    stage.pauses()
    stage.advance(9.0)
    assert stage.told(told.ErrorRaised)[0].failure.reason == "PROVIDER_FAILED"
    stage.says("Again.")
    stage.advance(1.0)
    assert stage.last(StoreTurn).record.text == "Again."
