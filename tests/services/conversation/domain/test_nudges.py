"""A learner who says nothing is asked, kindly and not for ever."""

import pytest

from services.conversation.domain import events, told
from services.conversation.domain.choices import Choices, TurnTaking
from services.conversation.domain.commands import Respond, Speak, StoreReply
from services.conversation.domain.nudges import nudge
from services.conversation.domain.state import Limits
from services.conversation.domain.things import Line, Speaker
from tests.services.conversation.domain.stage import PIECE, Stage


def nudged(stage: Stage) -> int:
    return len(stage.all(Speak))


def hears_it_out(stage: Stage) -> None:
    stage.plays(stage.makes("Take your time."), 3 * PIECE)


def test_after_a_quarter_of_a_minute_of_silence_the_tutor_asks() -> None:
    stage = Stage()
    stage.advance(14.9)
    assert nudged(stage) == 0
    stage.advance(0.2)
    assert nudged(stage) == 1


def test_the_silence_counts_from_the_end_of_what_the_tutor_said() -> None:
    stage = Stage(new=True)
    stage.advance(5.0)
    reply = stage.makes("Welcome.", 3)
    stage.plays(reply, 3 * PIECE)
    stage.advance(14.9)
    assert nudged(stage) == 0
    stage.advance(0.2)
    assert nudged(stage) == 1


def test_it_asks_twice_and_then_waits_until_the_session_ends_quietly() -> None:
    stage = Stage()
    for _ in range(2):
        stage.advance(15.1)
        hears_it_out(stage)
    stage.advance(200.0)
    assert nudged(stage) == 2
    stage.advance(100.0)
    (ended,) = stage.told(told.SessionEnded)
    assert ended.failure is not None
    assert ended.failure.reason == "IDLE"


def test_a_turn_makes_it_ask_again() -> None:
    stage = Stage()
    for _ in range(2):
        stage.advance(15.1)
        hears_it_out(stage)
    stage.says("Here I am.")
    stage.plays(stage.answers("Good."), 3 * PIECE)
    stage.advance(15.1)
    assert nudged(stage) == 3


def test_who_speaks_is_not_asked() -> None:
    stage = Stage()
    stage.advance(14.0)
    stage.starts_to_speak()
    stage.advance(30.0)
    assert nudged(stage) == 0


def test_who_holds_the_turn_is_not_asked() -> None:
    stage = Stage()
    stage.happen(events.TurnHeld(held=True))
    stage.advance(30.0)
    assert nudged(stage) == 0


def test_who_ends_turns_by_hand_is_not_asked() -> None:
    stage = Stage(Choices(turn_taking=TurnTaking.PUSH_TO_TALK))
    stage.advance(100.0)
    assert nudged(stage) == 0


def test_it_can_be_turned_off() -> None:
    stage = Stage(limits=Limits(nudge_s=0))
    stage.advance(100.0)
    assert nudged(stage) == 0


def test_what_was_heard_of_it_is_remembered_and_can_be_answered() -> None:
    stage = Stage()
    stage.advance(15.1)
    hears_it_out(stage)
    assert [command.record.heard_text for command in stage.all(StoreReply)] == ["Take your time."]
    stage.says("Yes, again please.")
    stage.advance(0.5)
    assert stage.last(Respond).lines == (Line(Speaker.TUTOR, "Take your time."),)


@pytest.mark.parametrize("language", ["", "en-GB", "de", "fr", "es-MX", "it"])
def test_it_speaks_the_language_being_learnt(language: str) -> None:
    assert nudge(language, 0)
    assert nudge(language, 0) != nudge(language, 1)
    assert not nudge(language, 2)


def test_it_is_silent_in_a_language_it_does_not_know() -> None:
    assert not nudge("fi", 0)
