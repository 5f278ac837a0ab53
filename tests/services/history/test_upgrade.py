"""What was kept with the tables of an earlier version is counted as if it had just come."""

from datetime import UTC, date
from pathlib import Path
from shutil import copytree, ignore_patterns
from typing import Any

from sqlalchemy import text

from mesh.clock import SystemClock
from mesh.database import Database, open_engine
from mesh.migrations import migrate
from services.history.app import MIGRATIONS
from services.history.domain.progress import Asked, view
from services.history.store import VERSION_TABLE, MemoryStore
from tests.services.history.conftest import event

#: Two turns; a word is in the vocabulary, and the one before it went with a conversation.
ROWS: dict[str, dict[str, Any]] = {
    "history_learners": {"user_id": "usr_test", "word_count": 2, "forgotten_events": 0},
    "history_words": {"user_id": "usr_test", "word": "umbrella", "number": 1, "level": 3},
    "history_conversations": {
        "conversation_id": "cnv_1", "user_id": "usr_test", "scenario_id": "cafe", "settings": b"", "begin_time_us": 0,
        "last_time_us": 0, "last_sequence": 3, "turn_count": 2, "ended": False, "language": "", "heard_until_us": 0,
        "counted": True, "studied_sequence": 0,
    },
    "history_quarters": {
        "conversation_id": "cnv_1", "start_us": 900_000_000, "user_id": "usr_test", "waits": b"", "vocabulary": b"\2",
        "counts": b"\2",
    },
}  # fmt: skip


async def test_what_an_earlier_version_counted_is_counted_anew_with_the_words_as_they_were_numbered(
    database_url: str, tmp_path: Path
) -> None:
    earlier = copytree(MIGRATIONS, tmp_path / "earlier", ignore=ignore_patterns("000[678]_*", "__pycache__"))
    migrate(database_url, earlier, VERSION_TABLE)
    events = [event(1), event(2, "umbrella"), event(3, "umbrella tea")]
    stored: list[dict[str, Any]] = [
        {
            "conversation_id": "cnv_1", "sequence": each.sequence, "user_id": "usr_test", "time_us": 0, "kind": "",
            "turn_id": "", "reply_id": "", "payload": each.SerializeToString(),
        }
        for each in events
    ]  # fmt: skip
    engine = open_engine(database_url, 1)
    with engine.begin() as connection:
        for table, row in [*ROWS.items(), *(("history_events", row) for row in stored)]:
            names, values = ", ".join(row), ", ".join(f":{name}" for name in row)
            connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({values})"), row)
    engine.dispose()

    migrate(database_url, MIGRATIONS, VERSION_TABLE)
    async with Database(database_url, 2) as database:
        store = MemoryStore(database, SystemClock(), lambda word, _: len(word) % 7)
        assert await store.catch_up() == 1
        columns, levels = await store.counted("usr_test")
    total = view(columns, levels, Asked(UTC), date(2026, 6, 1)).total
    assert (total.counts.turns, total.counts.words, total.vocabulary) == (2, 3, 0b110)
    assert total.words_by_level == (0, 0, 0, 2, 0, 0, 0)
