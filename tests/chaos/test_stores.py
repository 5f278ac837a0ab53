"""Each store taken away while people talk: no process ends, nothing promised is lost, and all goes on after it."""

from pathlib import Path
from typing import Final

import pytest

from tests.chaos.outages import Outage, endure, own_stores
from tests.chaos.rows import losses, row
from tests.chaos.town import town

_SHORT: Final = (
    Outage("PostgreSQL", 1.0, hangs=False),
    Outage("PostgreSQL", 1.0, hangs=True),
    Outage("Valkey", 1.0, hangs=True),
)
#: Each store for as long as is promised, killed and hanging.
_LONG: Final = {
    store: (Outage(store, lasts_s, hangs=False), Outage(store, lasts_s, hangs=True))
    for store, lasts_s in (("PostgreSQL", 30.0), ("Valkey", 30.0), ("SeaweedFS", 60.0))
}
_OUTAGES: Final = [pytest.param(_SHORT, id="short"), *(pytest.param(each, id=store) for store, each in _LONG.items())]
#: What is promised, and what a machine that is busy with other tests is held to.
_PROMISED_S, _BUSY_S = 10.0, 20.0


@pytest.mark.soak
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("outages", _OUTAGES)
async def test_a_store_that_is_away_or_hangs_is_ridden_out(tmp_path: Path, outages: tuple[Outage, ...]) -> None:
    # Sessions end soon after the last word, and their recordings with them, or soon after, where their end was lost.
    shortly = {"VIVAVOCE_CONVERSATION_RESUME_S": "3", "VIVAVOCE_MEDIA_FORSAKEN_AFTER_S": "20"}
    with own_stores() as stores, town(tmp_path, {**stores.variables, **shortly}) as found:
        outcome = await endure(found, stores, outages, talkers=3, recorded=outages is not _SHORT)
        assert found.faults() == []
    for outage, healthy_s in outcome.healthy_s.items():
        row(6, f"{outage}: everybody talks {healthy_s:.1f} s after its return", "3 sessions", 2)
    row(6, f"no process ended; {losses(outcome)}", f"{len(outages)} outages", 2)
    assert outcome.whole, outcome
    assert outcome.promised > len(outages)
    assert max(outcome.healthy_s.values()) <= (_BUSY_S if outages is _SHORT else _PROMISED_S)
