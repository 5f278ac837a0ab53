"""Each store taken away while people talk: no process ends, nothing promised is lost, and all goes on after it."""

from pathlib import Path
from typing import Final

import pytest

from tests.chaos.outages import Outage, endure, own_stores
from tests.chaos.town import town

_SHORT: Final = {"PostgreSQL": 1.5, "Valkey": 1.5, "SeaweedFS": 1.5}
_LONG: Final = {"PostgreSQL": 30.0, "Valkey": 30.0, "SeaweedFS": 60.0}
_LENGTHS = [
    pytest.param(_SHORT, id="short"),
    pytest.param(_LONG, marks=[pytest.mark.soak, pytest.mark.timeout(1800)], id="long"),
]
#: What is promised, and what a machine that is busy with other tests is held to.
_PROMISED_S, _BUSY_S = 10.0, 20.0


@pytest.mark.timeout(300)
@pytest.mark.parametrize("lengths", _LENGTHS)
async def test_a_store_that_is_away_or_hangs_is_ridden_out(tmp_path: Path, lengths: dict[str, float]) -> None:
    outages = [Outage(store, lasts_s, hangs) for store, lasts_s in lengths.items() for hangs in (False, True)]
    # Sessions end soon after the last word, and their recordings with them.
    shortly = {"VIVAVOCE_CONVERSATION_RESUME_S": "3"}
    with own_stores() as stores, town(tmp_path, {**stores.variables, **shortly}) as found:
        outcome = await endure(found, stores, outages, talkers=3)
        print(outcome)  # noqa: T201 (`make chaos` shows it)
        assert found.faults() == []
    assert (outcome.lost, outcome.altered, outcome.doubled, outcome.gaps) == (0, 0, 0, 0)
    assert outcome.promised > len(outages)
    assert max(outcome.healthy_s.values()) <= (_PROMISED_S if lengths is _LONG else _BUSY_S)
