"""Killed, stalled and delivered to twice: what a learner was told is kept stands in history, once and in order."""

from pathlib import Path

import pytest

from tests.services.history.crash import torment

ROUNDS = 30
TURNS = 10_000


@pytest.mark.timeout(600)
async def test_nothing_is_lost_or_doubled_whatever_is_killed(tmp_path: Path) -> None:
    outcome = await torment(tmp_path, seed=6, rounds=ROUNDS, turns=TURNS)
    assert outcome.told >= TURNS
    assert (outcome.lost, outcome.wrong, outcome.gaps, outcome.disordered) == (0, 0, 0, 0)
    # What was stored and never told, because the teller died between, may be more; counted is each once.
    assert outcome.kept >= outcome.told
    assert outcome.counted == outcome.kept
