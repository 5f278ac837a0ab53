"""PostgreSQL is dumped while people talk, and restored elsewhere, as docs/operations.md says."""

import asyncio
import random
import secrets
import shutil
import subprocess
from pathlib import Path

import pytest

from cli.stores.postgres import Postgres, programs
from tests.chaos.storm import Outcome, compare, crowd
from tests.chaos.town import town

#: In this order, as it is written there: what conversation still has to send may be in both, and is never in neither.
_DUMPED = ("user", "conversation", "history")


@pytest.mark.soak
@pytest.mark.timeout(300)
async def test_dumps_hold_all_that_was_promised_before_them_and_nobody_logs_in_again(
    tmp_path: Path, shared_postgres: Postgres
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    before, after = _places(shared_postgres), _places(shared_postgres)
    with town(here, _variables(before)) as talking:
        async with crowd(talking, random.Random(4), 3) as (people, _):
            promised = [dict(talker.promises) for talker in people]
            for service in _DUMPED:
                await asyncio.to_thread(_dump, before[service], tmp_path / f"{service}.dump")
    for service in _DUMPED:
        _restore(tmp_path / f"{service}.dump", after[service])
    for kept in ("keys", "services.pem"):
        _copy(here / kept, there / kept)
    outcome = Outcome()
    with town(there, _variables(after)) as restored:
        for name in restored.houses:
            await restored.up(name)
        for talker, promises in zip(people, promised, strict=True):
            talker.promises = promises
        await compare(restored, people, outcome)
    assert outcome.promised >= len(people)
    assert outcome.whole, outcome


def _places(server: Postgres) -> dict[str, str]:
    name = secrets.token_hex(4)
    return {service: server.database(f"{service}_{name}") for service in _DUMPED}


def _variables(places: dict[str, str]) -> dict[str, str]:
    return {f"VIVAVOCE_{service.upper()}_DATABASE_URL": url for service, url in places.items()}


def _dump(url: str, file: Path) -> None:
    _run("pg_dump", "--format=custom", f"--file={file}", f"--dbname={_plain(url)}")


def _restore(file: Path, url: str) -> None:
    _run("pg_restore", "--exit-on-error", "--no-owner", f"--dbname={_plain(url)}", str(file))


def _run(program: str, *arguments: str) -> None:
    subprocess.run([programs() / program, *arguments], check=True)


def _plain(url: str) -> str:
    """Without the driver, of which PostgreSQL's own programs know nothing."""
    return url.replace("postgresql+psycopg2:", "postgresql:")


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copy(source, target)
