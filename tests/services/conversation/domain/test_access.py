"""How long a session may go on by its access token."""

import pytest

from services.conversation.domain import events, told
from tests.services.conversation.domain.stage import Stage


def warnings(stage: Stage) -> list[float]:
    return [event.time_left_s for event in stage.told(told.AccessExpiring)]


def test_an_access_token_that_expires_is_announced_a_minute_before_and_then_ends_the_session() -> None:
    stage = Stage()
    stage.happen(events.AccessGranted(stage.now + 200))
    stage.advance(139)
    assert warnings(stage) == []
    stage.advance(2)
    assert warnings(stage) == [pytest.approx(60)]
    stage.advance(58)
    assert stage.told(told.SessionEnded) == []
    stage.advance(2)
    [ended] = stage.told(told.SessionEnded)
    assert ended.failure is not None
    assert ended.failure.reason == "TOKEN_INVALID"


def test_a_fresh_access_token_lets_the_session_go_on_and_is_announced_in_its_turn() -> None:
    stage = Stage()
    stage.happen(events.AccessGranted(stage.now + 200))
    stage.advance(150)
    stage.happen(events.AccessGranted(stage.now + 200))
    stage.advance(139)
    assert len(warnings(stage)) == 1
    stage.advance(2)
    assert len(warnings(stage)) == 2
    assert stage.told(told.SessionEnded) == []


def test_a_token_that_holds_for_less_than_two_minutes_is_announced_halfway() -> None:
    # Or a client would bring the next as soon as it had brought one.
    stage = Stage()
    stage.happen(events.AccessGranted(stage.now + 10))
    stage.advance(4.9)
    assert warnings(stage) == []
    stage.advance(0.2)
    assert warnings(stage) == [pytest.approx(5)]
