"""A session whose budget is spent ends kindly: what is being said is said."""

from services.conversation.domain import events, told
from services.conversation.domain.things import Failure
from tests.services.conversation.domain.stage import Stage

SPENT = Failure("BUDGET_EXHAUSTED", "Used up; it renews at midnight.")


def ended(stage: Stage) -> bool:
    return bool(stage.told(told.SessionEnded))


def test_a_session_in_which_nobody_speaks_ends_at_once() -> None:
    stage = Stage()
    stage.happen(events.BudgetSpent(SPENT))
    assert [event.failure for event in stage.told(told.SessionEnded)] == [SPENT]


def test_the_tutor_finishes_the_sentence_and_no_new_one_is_begun() -> None:
    stage = Stage()
    stage.says("A coffee, please.")
    stage.advance(1.0)
    reply = stage.makes("Right away.", pieces=3)
    stage.happen(events.BudgetSpent(SPENT))
    stage.starts_to_speak()
    assert not stage.told(told.ReplyPaused)
    assert not ended(stage)
    stage.plays(reply, 3 * 2_400)
    assert ended(stage)
    assert stage.told(told.ReplyFinished)[-1].heard_text == "Right away."


def test_an_open_turn_is_still_answered() -> None:
    stage = Stage()
    stage.starts_to_speak()
    stage.happen(events.BudgetSpent(SPENT))
    stage.advance(1.0)
    stage.pauses(1.0)
    stage.is_understood("And a biscuit.")
    stage.advance(1.0)
    assert not ended(stage)
    reply = stage.makes("Here you are.", pieces=1)
    stage.plays(reply, 2_400)
    assert [event.turn_count for event in stage.told(told.SessionEnded)] == [1]


def test_a_typed_turn_that_comes_too_late_is_refused() -> None:
    stage = Stage()
    stage.says("A coffee, please.")
    stage.advance(1.0)
    stage.makes("Right away.", pieces=3)
    stage.happen(events.BudgetSpent(SPENT))
    stage.happen(events.TextSubmitted("One more thing"))
    assert [event.failure for event in stage.told(told.ErrorRaised)] == [SPENT]
    assert len(stage.told(told.TurnCommitted)) == 1


def test_a_tutor_who_finds_no_end_is_cut_off_after_a_minute() -> None:
    stage = Stage()
    stage.says("Tell me everything.")
    stage.advance(1.0)
    stage.makes("Once upon a time.", pieces=3)
    stage.starts_to_speak()
    stage.happen(events.BudgetSpent(SPENT))
    stage.advance(59.0)
    assert not ended(stage)
    stage.advance(2.0)
    assert ended(stage)
