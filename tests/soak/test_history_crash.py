"""The way to history for as long as it takes: hundreds of kills and stalls, tens of thousands of turns."""

from pathlib import Path

import pytest

from cli.stores.postgres import Postgres
from tests.services.history.crash import Outcome, on_postgres, on_sqlite, torment


def nothing_is_lost_or_doubled(outcome: Outcome) -> None:
    print(outcome)  # noqa: T201 (for who runs it with -s)
    assert (outcome.lost, outcome.wrong, outcome.gaps, outcome.disordered) == (0, 0, 0, 0)
    assert outcome.counted == outcome.kept >= outcome.told


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", [1, 2])
async def test_nothing_is_lost_or_doubled_in_a_long_night(tmp_path: Path, seed: int) -> None:
    nothing_is_lost_or_doubled(await torment(tmp_path, on_sqlite(tmp_path, seed, rounds=150, turns=15_000)))


@pytest.mark.soak
@pytest.mark.timeout(3600)
async def test_nothing_is_lost_or_doubled_on_postgresql_in_a_long_night(
    tmp_path: Path, shared_postgres: Postgres
) -> None:
    nothing_is_lost_or_doubled(await torment(tmp_path, on_postgres(shared_postgres, 3, rounds=100, turns=10_000)))
