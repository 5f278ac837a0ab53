"""Killed, stalled and delivered to twice: what a learner was told is kept stands in history, once and in order."""

from pathlib import Path

import pytest

from cli.stores.postgres import Postgres
from tests.services.history.crash import Outcome, on_postgres, on_sqlite, torment

#: On each database; as many kills and turns as are promised to be survived at every change.
ROUNDS = 30
TURNS = 10_000


def nothing_is_lost_or_doubled(outcome: Outcome) -> None:
    assert outcome.told >= TURNS
    assert (outcome.lost, outcome.wrong, outcome.gaps, outcome.disordered) == (0, 0, 0, 0)
    # What was stored and never told, because the teller died between, may be more; counted is each once.
    assert outcome.kept >= outcome.told
    assert outcome.counted == outcome.kept


@pytest.mark.timeout(600)
async def test_nothing_is_lost_or_doubled_whatever_is_killed(tmp_path: Path) -> None:
    nothing_is_lost_or_doubled(await torment(tmp_path, on_sqlite(tmp_path, 6, ROUNDS, TURNS)))


@pytest.mark.soak
@pytest.mark.timeout(600)
async def test_nothing_is_lost_or_doubled_on_postgresql(tmp_path: Path, shared_postgres: Postgres) -> None:
    nothing_is_lost_or_doubled(await torment(tmp_path, on_postgres(shared_postgres, 7, ROUNDS, TURNS)))
