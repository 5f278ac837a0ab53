"""The way to history for as long as it takes: hundreds of kills and stalls, tens of thousands of turns."""

from pathlib import Path

import pytest

from tests.services.history.crash import torment


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", [1, 2])
async def test_nothing_is_lost_or_doubled_in_a_long_night(tmp_path: Path, seed: int) -> None:
    outcome = await torment(tmp_path, seed, rounds=200, turns=40_000)
    assert outcome.told >= 40_000
    assert (outcome.lost, outcome.wrong, outcome.gaps, outcome.disordered) == (0, 0, 0, 0)
    assert outcome.counted == outcome.kept >= outcome.told
