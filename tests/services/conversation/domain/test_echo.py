"""The tutor does not take its own voice for the learner's."""

import pytest

from services.conversation.domain import told
from services.conversation.domain.commands import StoreTurn
from services.conversation.domain.echo import echoes
from services.conversation.domain.things import Outcome
from tests.services.conversation.domain.stage import PIECE, Stage

REPLY = "one two three four five six seven eight nine ten"


@pytest.fixture
def stage() -> Stage:
    """The tutor speaks ten words in a second, and the learner has heard three of them."""
    stage = Stage(new=True)
    reply = stage.makes(REPLY, 10, words=True)
    stage.advance(0.3)
    stage.plays(reply, 3 * PIECE)
    stage.forget()
    return stage


@pytest.mark.parametrize("text", ["two three four", "Two, three four.", "one two three for five six seven eight nine"])
def test_the_tutors_own_words_are_an_echo(text: str) -> None:
    assert echoes(text, REPLY)


@pytest.mark.parametrize("text", ["", "three", "ten nine eight", "two apples and ten pears", "I want three", "stop it"])
def test_words_of_the_learners_own_are_none(text: str) -> None:
    assert not echoes(text, REPLY)


def test_what_sounded_long_ago_does_not_come_back() -> None:
    assert not echoes("one two three", REPLY + " and so on" * 20)


def test_an_echo_costs_no_words(stage: Stage) -> None:
    stage.starts_to_speak()
    stage.advance(0.4)
    stage.is_understood("one two three")
    assert not stage.told(told.ReplyFinished)
    stage.pauses()
    stage.is_understood("one two three")
    (resumed,) = stage.told(told.ReplyResumed)
    assert resumed.from_sample == 3 * PIECE
    assert not stage.all(StoreTurn)


def test_an_echo_that_is_understood_after_the_end_of_the_reply_is_no_turn() -> None:
    stage = Stage(new=True)
    reply = stage.makes(REPLY, 10, words=True)
    stage.advance(0.3)
    stage.starts_to_speak()
    stage.plays(reply, 10 * PIECE)
    assert stage.told(told.ReplyFinished)[0].outcome is Outcome.HEARD
    stage.advance(0.3)
    stage.pauses()
    stage.is_understood("eight nine ten")
    stage.advance(3.0)
    assert not stage.all(StoreTurn)


def test_a_learner_who_repeats_after_the_tutor_is_heard() -> None:
    stage = Stage(new=True)
    reply = stage.makes("Repeat after me: good morning", 5, words=True)
    stage.plays(reply, 5 * PIECE)
    stage.says("Good morning")
    stage.advance(1.0)
    assert [command.record.text for command in stage.all(StoreTurn)] == ["Good morning"]
