"""Interruptions: pause at once, decide by words."""

import pytest

from services.conversation.domain import events, told
from services.conversation.domain.barge_in import interrupts
from services.conversation.domain.commands import Recognize, Respond, StoreReply, StoreTurn
from services.conversation.domain.things import Line, Outcome, Speaker
from tests.services.conversation.domain.stage import PIECE, Stage


@pytest.fixture
def stage() -> Stage:
    """The tutor speaks ten words in a second, and the learner has heard three of them."""
    stage = Stage(new=True)
    reply = stage.makes("one two three four five six seven eight nine ten", 10, words=True, state="s")
    stage.advance(0.3)
    stage.plays(reply, 3 * PIECE)
    stage.forget()
    return stage


@pytest.mark.parametrize("text", ["", "mm-hm", "Yeah.", "Uh huh, right", "OK"])
def test_signs_of_listening_do_not_interrupt(text: str) -> None:
    assert not interrupts(text, "en-GB")


@pytest.mark.parametrize("text", ["no", "Wait", "yeah but I", "ok ok ok ok", "stop"])
def test_words_interrupt(text: str) -> None:
    assert interrupts(text, "")


def test_the_tutor_falls_silent_at_once(stage: Stage) -> None:
    stage.starts_to_speak()
    assert stage.kinds() == ["ReplyPaused", "SpeechStarted"]


def test_real_words_end_the_reply_at_the_last_sample_heard(stage: Stage) -> None:
    stage.starts_to_speak()
    stage.advance(0.4)
    assert stage.last(Recognize).to_sample == 0
    stage.is_understood("Excuse me")
    (finished,) = stage.told(told.ReplyFinished)
    assert (finished.outcome, finished.heard_text) == (Outcome.INTERRUPTED, "one two three")
    record = stage.last(StoreReply).record
    assert (record.interrupted, record.unheard_text) == (True, "four five six seven eight nine ten")
    stage.advance(0.4)
    stage.pauses()
    stage.is_understood("Excuse me, a tea.")
    stage.advance(0.5)
    asked = stage.last(Respond)
    assert asked.lines == (Line(Speaker.TUTOR, "one two three"),)
    assert asked.turn_text == "Excuse me, a tea."


def test_a_report_that_comes_before_the_verdict_counts(stage: Stage) -> None:
    stage.starts_to_speak()
    stage.plays(stage.told(told.ReplyPaused)[0].reply_id, 4 * PIECE)
    stage.advance(0.4)
    stage.is_understood("Excuse me")
    assert stage.told(told.ReplyFinished)[0].heard_text == "one two three four"


@pytest.mark.parametrize("text", ["", "mm-hm"])
def test_a_cough_or_a_sign_of_listening_costs_no_words(stage: Stage, text: str) -> None:
    stage.starts_to_speak()
    stage.advance(0.2)
    stage.pauses()
    stage.is_understood(text)
    (resumed,) = stage.told(told.ReplyResumed)
    assert resumed.from_sample == 3 * PIECE
    assert not stage.all(StoreTurn)
    stage.plays(resumed.reply_id, 10 * PIECE)
    (finished,) = stage.told(told.ReplyFinished)
    assert finished.outcome is Outcome.HEARD
    assert finished.heard_text.endswith("ten")


def test_the_learner_who_only_signs_that_they_listen_is_looked_at_again_while_they_speak(stage: Stage) -> None:
    stage.starts_to_speak()
    stage.advance(0.4)
    stage.is_understood("Yeah")
    assert not stage.told(told.ReplyFinished)
    stage.advance(0.4)
    stage.is_understood("Yeah but no")
    assert stage.told(told.ReplyFinished)


def test_a_slow_recogniser_is_asked_once_at_a_time(stage: Stage) -> None:
    stage.starts_to_speak()
    stage.advance(1.5)
    assert len(stage.all(Recognize)) == 1


def test_who_speaks_on_and_on_has_interrupted_even_where_nothing_is_recognised(stage: Stage) -> None:
    stage.starts_to_speak()
    stage.advance(3.5)
    assert stage.told(told.ReplyFinished)[0].outcome is Outcome.INTERRUPTED


def test_the_tutor_goes_on_where_the_recogniser_never_answers(stage: Stage) -> None:
    stage.starts_to_speak()
    stage.advance(0.2)
    stage.pauses()
    stage.advance(4.0)
    assert stage.told(told.ReplyResumed)


def test_nothing_is_sent_while_the_tutor_is_paused() -> None:
    stage = Stage(new=True)
    stage.makes("A long speech.", 60)
    stage.advance(0.5)
    stage.starts_to_speak()
    stage.forget()
    stage.advance(0.3)
    assert not stage.told(told.ReplyAudio)


def test_a_reply_that_has_not_begun_waits_and_is_never_paused_aloud() -> None:
    stage = Stage(new=True)
    stage.starts_to_speak()
    stage.makes("Welcome.")
    assert stage.kinds() == ["SessionStarted", "SpeechStarted"]
    stage.pauses()
    stage.is_understood("")
    assert "ReplyStarted" in stage.kinds()
    assert "ReplyResumed" not in stage.kinds()


def test_speech_after_all_was_played_is_no_interruption(stage: Stage) -> None:
    reply = stage.asked if stage.all(Respond) else "rep_1_0001"
    stage.plays(reply, 10 * PIECE)
    stage.forget()
    stage.starts_to_speak()
    assert stage.kinds() == ["SpeechStarted"]


def test_a_client_that_does_not_report_is_not_paused_after_the_end() -> None:
    stage = Stage(new=True)
    stage.makes("Welcome.", 3)
    stage.advance(1.0)
    stage.starts_to_speak()
    assert not stage.told(told.ReplyPaused)
    assert stage.told(told.ReplyFinished)[0].outcome is Outcome.HEARD


def test_the_next_reply_begins_only_when_the_client_knows_of_the_end_of_the_one_before() -> None:
    stage = Stage(new=True, stores=False)
    first = stage.makes("Welcome to you.", 3, words=True)
    stage.plays(first, PIECE)
    stage.happen(events.TextSubmitted("Stop."))
    stage.makes("Sorry.", 1)
    assert len(stage.told(told.ReplyStarted)) == 1
    stage.happen(stage.stored(stage.all(StoreReply)[0]))
    after = stage.kinds()[stage.kinds().index("ReplyFinished") :]
    assert after[:4] == ["ReplyFinished", "ReplyStarted", "ReplyText", "ReplyAudio"]


@pytest.fixture
def unrecognised(stage: Stage) -> Stage:
    """What the learner said over the tutor is not recognised yet, and the tutor has gone on."""
    stage.starts_to_speak()
    stage.advance(2.0)
    stage.pauses()
    stage.advance(1.5)
    assert stage.told(told.ReplyResumed)
    return stage


def test_an_interruption_that_is_recognised_late_ends_the_reply_and_loses_no_word(unrecognised: Stage) -> None:
    unrecognised.is_understood("No, I would like a tea.")
    unrecognised.advance(0.1)
    assert unrecognised.told(told.ReplyFinished)[0].outcome is Outcome.INTERRUPTED
    assert [command.record.text for command in unrecognised.all(StoreTurn)] == ["No, I would like a tea."]


def test_a_sign_of_listening_that_is_recognised_late_is_no_turn(unrecognised: Stage) -> None:
    unrecognised.is_understood("mm-hm")
    unrecognised.advance(2.0)
    assert not unrecognised.all(StoreTurn)


def test_an_interruption_that_is_never_recognised_is_told_of(unrecognised: Stage) -> None:
    unrecognised.advance(8.0)
    assert unrecognised.told(told.ErrorRaised)
