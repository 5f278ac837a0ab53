"""`viva outbox`: what history refuses is seen, and sent again."""

import json
from pathlib import Path

from mesh.clock import SystemClock
from mesh.database import Database
from mesh.migrations import migrate
from services.conversation.app import MIGRATIONS
from services.conversation.domain.choices import Choices
from services.conversation.settings import Settings
from services.conversation.store import VERSION_TABLE, ConversationStore
from tests.cli.processes import viva


async def refuse_one(url: str) -> None:
    async with Database(url) as database:
        store = ConversationStore(database, SystemClock(), lambda: None)
        await store.create("cnv_1", "usr_1", "", Choices())
        (delivery,) = await store.waiting(1, frozenset(range(16)))
        await store.set_aside(delivery, "INVALID_FIELD", "An id is too long.")


async def test_what_is_set_aside_is_listed_and_sent_again(tmp_path: Path) -> None:
    url = Settings(data_dir=tmp_path).database
    migrate(url, MIGRATIONS, VERSION_TABLE)
    await refuse_one(url)
    assert [(each["conversation_id"], each["sequence"], each["waiting"]) for each in listed(tmp_path)] == [
        ("cnv_1", 1, 1)
    ]
    assert run(tmp_path, "retry").startswith("It is sent again")
    assert listed(tmp_path) == []


def listed(folder: Path) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(run(folder, "list", "--json"))["set_aside"]
    return found


def run(folder: Path, *arguments: str) -> str:
    with viva("outbox", *arguments, "--data-dir", str(folder)) as running:
        out, err = running.communicate(timeout=30)
    assert running.returncode == 0, err
    return out
