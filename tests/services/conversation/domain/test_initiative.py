"""When the tutor speaks without being asked to, and what it does when it is asked."""

import pytest

from services.conversation.domain import events, told
from services.conversation.domain.choices import Choices, Initiative, TurnTaking
from services.conversation.domain.commands import Respond, Speak, StoreReply, StoreTurn
from services.conversation.domain.records import TurnTaken
from services.conversation.domain.things import Line, Speaker
from tests.services.conversation.domain.stage import PIECE, Stage

WAITS = Choices(initiative=Initiative.WAITS)


def asks(stage: Stage, aside: str = "") -> None:
    stage.happen(events.ReplyAsked(aside))


@pytest.mark.parametrize("initiative", [Initiative.ANSWERS, Initiative.WAITS])
def test_a_tutor_that_does_not_lead_opens_nothing_and_asks_nobody(initiative: Initiative) -> None:
    stage = Stage(Choices(initiative=initiative), new=True)
    stage.advance(60.0)
    assert not stage.all(Respond)
    assert not stage.all(Speak)


def test_a_tutor_that_answers_answers_each_turn() -> None:
    stage = Stage(Choices(initiative=Initiative.ANSWERS), new=True)
    stage.says("Hello.")
    stage.advance(2.0)
    assert stage.last(Respond).turn_text == "Hello."


def test_a_tutor_that_waits_stores_a_turn_and_answers_it_when_asked() -> None:
    stage = Stage(WAITS, new=True)
    stage.says("Hello.")
    stage.advance(2.0)
    assert stage.last(StoreTurn).record.text == "Hello."
    assert not stage.all(Respond)
    asks(stage)
    assert (stage.last(Respond).turn_text, stage.last(Respond).lines) == ("Hello.", ())


def test_what_was_said_before_it_is_known_to_the_answer() -> None:
    stage = Stage(WAITS, new=True)
    stage.says("Hello.")
    stage.advance(2.0)
    stage.happen(events.TextSubmitted("A tea, please."))
    asks(stage)
    assert stage.last(Respond).turn_text == "A tea, please."
    assert stage.last(Respond).lines == (Line(Speaker.LEARNER, "Hello."),)


def test_asked_while_the_learner_speaks_it_answers_when_the_turn_is_over() -> None:
    stage = Stage(WAITS, new=True)
    stage.starts_to_speak()
    asks(stage)
    stage.advance(1.0)
    stage.pauses()
    stage.is_understood("A tea.")
    assert not stage.all(Respond)
    stage.advance(2.0)
    assert stage.last(Respond).turn_text == "A tea."


def test_asked_about_a_turn_in_which_nothing_was_understood_it_speaks_all_the_same() -> None:
    stage = Stage(Choices(initiative=Initiative.WAITS, turn_taking=TurnTaking.PUSH_TO_TALK), new=True)
    stage.starts_to_speak()
    stage.happen(events.CommitAsked(stage.sample, stage.now))
    asks(stage)
    stage.is_understood("")
    assert stage.last(Respond).turn_text == ""


def test_asked_with_nothing_said_it_opens_the_talk_and_later_asks_on() -> None:
    stage = Stage(WAITS, new=True)
    asks(stage)
    assert stage.last(Respond).turn_text == ""
    stage.plays(stage.makes("Welcome.", 3), 3 * PIECE)
    asks(stage)
    assert stage.all(Speak)


def test_asked_while_it_speaks_it_goes_on_speaking() -> None:
    stage = Stage(WAITS, new=True)
    asks(stage)
    stage.makes("Welcome.", 3)
    asks(stage)
    assert len(stage.all(Respond)) == 1
    assert not stage.told(told.ReplyFinished)


def test_a_line_to_be_answered_later_does_not_stop_what_the_tutor_says() -> None:
    stage = Stage(new=True)
    reply = stage.makes("Welcome.", 3)
    stage.happen(events.TextSubmitted("One moment.", reply_later=True))
    assert not stage.told(told.ReplyFinished)
    stage.plays(reply, 3 * PIECE)
    asks(stage)
    assert stage.last(Respond).turn_text == "One moment."
    assert stage.last(Respond).lines == (Line(Speaker.TUTOR, "Welcome."),)


def test_what_is_said_aside_is_neither_stored_nor_remembered() -> None:
    stage = Stage(new=True)
    stage.plays(stage.makes("Welcome.", 3), 3 * PIECE)
    stage.forget()
    asks(stage, "What does 'bill' mean?")
    assert (stage.last(Respond).turn_text, stage.last(Respond).lines) == ("What does 'bill' mean?", ())
    stage.plays(stage.makes("What you pay.", 3), 3 * PIECE)
    assert not stage.all(StoreReply) + stage.all(StoreTurn)
    stage.happen(events.TextSubmitted("A tea."))
    assert stage.last(Respond).lines == (Line(Speaker.TUTOR, "Welcome."),)


def test_a_discarded_turn_is_not_answered_and_a_reply_that_paused_for_it_goes_on() -> None:
    stage = Stage(new=True)
    reply = stage.makes("Welcome.", 30)
    stage.advance(0.5)
    stage.starts_to_speak()
    stage.happen(events.TurnDiscarded())
    assert stage.told(told.ReplyResumed)[-1].reply_id == reply
    stage.advance(3.0)
    assert not stage.all(StoreTurn)


def test_a_turn_that_another_process_left_unanswered_waits_to_be_asked_for() -> None:
    owed = TurnTaken("trn_0", 1, "A tea.", typed=False)
    stage = Stage(WAITS, lines=(Line(Speaker.LEARNER, "A tea."),), owed=owed)
    assert not stage.all(Respond)
    asks(stage)
    assert stage.last(Respond).turn_text == "A tea."


def test_a_session_that_ends_while_it_is_asked_for_begins_nothing() -> None:
    stage = Stage(WAITS, new=True)
    stage.starts_to_speak()
    asks(stage)
    stage.happen(events.EndAsked(end_conversation=False))
    assert not stage.all(Respond)
