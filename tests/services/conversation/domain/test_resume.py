"""A wire that is cut and mended, and a turn that an earlier process left unanswered."""

import pytest

from services.conversation.domain import events, told
from services.conversation.domain.choices import Choices, TurnTaking
from services.conversation.domain.commands import Close, Respond, StoreReply, StoreTurn
from services.conversation.domain.records import TurnTaken
from services.conversation.domain.state import Limits
from services.conversation.domain.things import Failure, Line, Outcome, Speaker
from tests.services.conversation.domain.stage import PIECE, RATE, Stage


@pytest.fixture
def stage() -> Stage:
    """The tutor speaks ten words in a second, and the learner has heard three of them."""
    stage = Stage(new=True)
    reply = stage.makes("one two three four five six seven eight nine ten", 10, words=True)
    stage.advance(0.3)
    stage.plays(reply, 3 * PIECE)
    stage.forget()
    return stage


def cut(stage: Stage, seconds: float = 1.0) -> None:
    stage.happen(events.WireLost())
    stage.advance(seconds)


def mend(stage: Stage) -> None:
    stage.happen(events.WireFound())


def test_the_reply_goes_on_from_the_last_sample_heard(stage: Stage) -> None:
    cut(stage)
    assert not stage.kinds()
    mend(stage)
    (resumed,) = stage.told(told.ReplyResumed)
    assert resumed.from_sample == 3 * PIECE
    assert [event.first_sample for event in stage.told(told.ReplyAudio)] == [place * PIECE for place in range(3, 10)]
    stage.plays(resumed.reply_id, 10 * PIECE)
    (finished,) = stage.told(told.ReplyFinished)
    assert (finished.outcome, finished.heard_text.split()[-1]) == (Outcome.HEARD, "ten")


def test_sound_that_was_cut_in_the_middle_of_a_piece_goes_on_there() -> None:
    stage = Stage(new=True)
    reply = stage.makes("one two", 4)
    stage.advance(0.2)
    stage.plays(reply, PIECE + 100)
    cut(stage)
    stage.forget()
    mend(stage)
    first, *_ = stage.told(told.ReplyAudio)
    assert first.first_sample == PIECE + 100
    assert len(first.pcm) == 2 * (PIECE - 100)


def test_of_sound_that_nobody_reports_half_a_minute_is_kept() -> None:
    stage = Stage(new=True)
    stage.makes("a long story", 600)
    stage.advance(50.0)
    sent = [event.first_sample for event in stage.told(told.ReplyAudio)]
    cut(stage)
    stage.forget()
    mend(stage)
    (resumed,) = stage.told(told.ReplyResumed)
    first, *_ = stage.told(told.ReplyAudio)
    assert resumed.from_sample == first.first_sample
    assert 30 * RATE <= sent[-1] + PIECE - first.first_sample < 30 * RATE + 2 * PIECE


def test_what_was_played_after_the_last_report_is_believed_once_it_was_sent_again(stage: Stage) -> None:
    cut(stage)
    mend(stage)
    stage.plays(stage.told(told.ReplyResumed)[0].reply_id, 6 * PIECE)
    stage.starts_to_speak()
    stage.advance(0.4)
    stage.is_understood("Excuse me")
    assert stage.told(told.ReplyFinished)[0].heard_text == "one two three four five six"


def test_who_does_not_come_back_in_half_a_minute_is_gone(stage: Stage) -> None:
    cut(stage, 29.9)
    assert not stage.all(Close)
    stage.advance(0.2)
    assert stage.all(Close)


def test_where_nobody_is_waited_for_a_cut_is_the_end() -> None:
    stage = Stage(limits=Limits(resume_s=0))
    stage.happen(events.WireLost())
    assert stage.all(Close)


def test_nothing_counts_as_heard_while_the_wire_is_cut(stage: Stage) -> None:
    cut(stage, 31.0)
    assert stage.last(StoreReply).record.heard_text == "one two three"


def test_a_turn_that_was_over_before_the_cut_is_answered_after_it() -> None:
    stage = Stage()
    stage.says("A coffee, please.")
    cut(stage)
    assert [command.record.text for command in stage.all(StoreTurn)] == ["A coffee, please."]
    stage.makes("Certainly.")
    assert not stage.told(told.ReplyAudio)
    mend(stage)
    assert stage.told(told.ReplyAudio)


def test_a_learner_who_was_speaking_goes_on_with_the_same_turn() -> None:
    stage = Stage()
    stage.starts_to_speak()
    stage.advance(0.5)
    cut(stage)
    mend(stage)
    stage.advance(0.5)
    stage.pauses()
    stage.is_understood("A long sentence.")
    stage.advance(0.5)
    assert [(c.record.text, c.record.revision) for c in stage.all(StoreTurn)] == [("A long sentence.", 1)]


def test_a_tutor_who_fell_silent_for_the_learner_stays_silent_after_the_cut(stage: Stage) -> None:
    stage.starts_to_speak()
    cut(stage)
    mend(stage)
    assert not stage.told(told.ReplyResumed)
    stage.advance(0.4)
    stage.is_understood("Excuse me")
    assert stage.told(told.ReplyFinished)[0].heard_text == "one two three"


def test_a_tutor_who_stayed_silent_after_the_cut_says_when_they_go_on(stage: Stage) -> None:
    stage.starts_to_speak()
    cut(stage)
    mend(stage)
    stage.pauses()
    stage.is_understood("mm-hm")
    (resumed,) = stage.told(told.ReplyResumed)
    assert resumed.from_sample == 3 * PIECE


def test_with_push_to_talk_the_reply_goes_on_though_the_learner_speaks() -> None:
    stage = Stage(Choices(turn_taking=TurnTaking.PUSH_TO_TALK), new=True)
    reply = stage.makes("one two", 4)
    stage.advance(0.2)
    stage.plays(reply, PIECE)
    stage.starts_to_speak()
    cut(stage)
    mend(stage)
    assert [event.from_sample for event in stage.told(told.ReplyResumed)] == [PIECE]


def test_a_learner_who_is_away_is_not_asked_why_they_are_silent() -> None:
    stage = Stage()
    cut(stage, 40.0)
    assert not stage.told(told.ReplyStarted)


def test_a_server_that_stops_does_not_wait_for_who_is_away(stage: Stage) -> None:
    cut(stage)
    stage.happen(events.Draining())
    assert stage.told(told.SessionEnded)


def test_a_turn_that_was_stored_and_never_answered_is_answered_first() -> None:
    lines = (Line(Speaker.TUTOR, "What would you like?"), Line(Speaker.LEARNER, "A tea."))
    stage = Stage(lines=lines, owed=TurnTaken("trn_9", 2, "A tea.", typed=False))
    asked = stage.last(Respond)
    assert (asked.turn_id, asked.revision, asked.turn_text) == ("trn_9", 2, "A tea.")
    assert asked.lines == lines[:1]
    reply = stage.makes("One tea.", 3)
    stage.plays(reply, 3 * PIECE)
    assert stage.last(StoreReply).record.turn_id == "trn_9"
    assert not stage.all(StoreTurn)
    stage.says("Thank you.")
    stage.advance(0.5)
    assert [line.text for line in stage.last(Respond).lines] == ["What would you like?", "A tea.", "One tea."]


def test_a_text_that_is_sent_again_is_taken_once_and_told_again() -> None:
    stage = Stage()
    for _ in range(2):
        stage.happen(events.TextSubmitted("A tea.", request_id="req_1"))
    assert [command.record.text for command in stage.all(StoreTurn)] == ["A tea."]
    first, again = stage.told(told.TurnCommitted)
    assert first == again
    stage.happen(events.TextSubmitted("A tea.", request_id="req_2"))
    assert len(stage.all(StoreTurn)) == 2


def test_a_text_that_is_sent_again_while_it_is_being_stored_is_told_once() -> None:
    stage = Stage(stores=False)
    for _ in range(2):
        stage.happen(events.TextSubmitted("A tea.", request_id="req_1"))
    (stored,) = stage.all(StoreTurn)
    stage.happen(events.TurnStored(stored.record.turn_id, 7))
    assert [committed.sequence for committed in stage.told(told.TurnCommitted)] == [7]


def test_a_text_that_could_not_be_stored_is_taken_when_it_is_sent_again() -> None:
    stage = Stage(stores=False)
    stage.happen(events.TextSubmitted("A tea.", request_id="req_1"))
    stage.happen(events.StoringFailed(stage.last(StoreTurn).record.turn_id, Failure("OVERLOADED", "No.")))
    stage.happen(events.TextSubmitted("A tea.", request_id="req_1"))
    assert len(stage.all(StoreTurn)) == 2
