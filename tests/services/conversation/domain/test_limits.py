"""A session has an end: by its length, and by silence; nothing that was heard or said is lost by it."""

from services.conversation.domain import told
from services.conversation.domain.commands import StoreReply, StoreTurn
from services.conversation.domain.state import Limits
from tests.services.conversation.domain.stage import PIECE, Stage


def reasons(stage: Stage) -> list[str]:
    return [ended.failure.reason for ended in stage.told(told.SessionEnded) if ended.failure]


def test_the_longest_session_ends_however_much_is_said_in_it() -> None:
    stage = Stage(limits=Limits(session_s=60.0))
    for _ in range(3):
        stage.says("Tell me more.")
        stage.plays(stage.answers("There is more."), 3 * PIECE)
        stage.advance(10.0)
    assert reasons(stage) == []
    stage.advance(60.0)
    assert reasons(stage) == ["DEADLINE"]


def test_at_the_end_of_the_longest_session_what_was_said_and_heard_is_kept() -> None:
    stage = Stage(limits=Limits(session_s=60.0, nudge_s=0))
    stage.advance(56.0)
    stage.says("Count, please.")
    stage.plays(stage.answers("One two three four five six.", 12), 5 * PIECE)
    stage.advance(5.0)
    assert reasons(stage) == ["DEADLINE"]
    (kept,) = stage.all(StoreReply)
    assert "One two three four five six.".startswith(kept.record.heard_text)
    assert kept.record.heard_text


def test_who_is_still_speaking_is_not_idle_however_long() -> None:
    stage = Stage(limits=Limits(idle_s=60.0, nudge_s=0))
    stage.starts_to_speak()
    stage.advance(150.0)
    assert reasons(stage) == []
    stage.pauses(1.0)
    stage.is_understood("That is my story.")
    stage.advance(2.0)
    assert [command.record.text for command in stage.all(StoreTurn)] == ["That is my story."]
