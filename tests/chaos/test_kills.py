"""Services killed again and again while people talk: nothing promised is lost or doubled, and every talk goes on."""

import secrets
from pathlib import Path
from statistics import median

import pytest

from cli.stores.postgres import Postgres
from tests.chaos.rows import losses, row
from tests.chaos.storm import Outcome, rage, restart_all
from tests.chaos.town import town

#: Rounds in the suite, and by `make chaos`; one or two are killed in each, or one twice.
FEW = [pytest.param(18, id="few"), pytest.param(140, marks=pytest.mark.soak, id="many")]
FEWER = [pytest.param(12, id="few"), pytest.param(70, marks=pytest.mark.soak, id="many")]
#: What is promised, and what a machine that is busy with other tests is held to.
PROMISED_S, BUSY_S = 2.0, 10.0


@pytest.fixture
def shared(shared_postgres: Postgres, valkey_url: str) -> dict[str, str]:
    """Stores that replicas share."""
    name = secrets.token_hex(4)
    places = {
        f"VIVAVOCE_{service}_DATABASE_URL": shared_postgres.database(f"{service.lower()}_{name}")
        for service in ("USER", "CONVERSATION", "HISTORY")
    }
    return {**places, "VIVAVOCE_EPHEMERAL_URL": valkey_url}


def check(outcome: Outcome, rounds: int, seed: int) -> None:
    count = f"{outcome.kills.total()} kills in {rounds} rounds"
    row(3, losses(outcome), count, seed)
    middle_s, slowest_s = median(outcome.resumed_s), outcome.slowest_s
    row(5, f"back within {middle_s:.2f} s at the median, {slowest_s:.2f} s at most", count, seed)
    assert outcome.promised > rounds
    assert outcome.whole, outcome
    assert outcome.kept >= outcome.promised
    if rounds < 50:
        assert median(outcome.resumed_s) <= BUSY_S
    else:
        assert outcome.slowest_s <= PROMISED_S


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("rounds", FEW)
async def test_with_one_process_of_each_service(tmp_path: Path, rounds: int) -> None:
    with town(tmp_path) as found:
        check(await rage(found, seed=5, rounds=rounds, talkers=3), rounds, seed=5)


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("talkers", "pause_s"), [(4, 0.0), (50, 2.0)])
async def test_everything_restarted_one_after_another_drops_no_session_and_stops_in_time(
    tmp_path: Path, shared: dict[str, str], talkers: int, pause_s: float
) -> None:
    with town(tmp_path, shared, user=2, ai_engine=2, conversation=2, edge=2) as found:
        outcome = await restart_all(found, talkers, pause_s=pause_s)
        assert found.faults() == []
    dropped = f"{len(outcome.dropped)} sessions dropped, away for {outcome.slowest_s:.2f} s at most"
    row(16, f"{dropped}; {losses(outcome)}", f"{len(outcome.exits)} restarts, {talkers} sessions", 1)
    assert set(outcome.exits.values()) == {0}, outcome.exits
    assert outcome.whole, outcome
    assert outcome.dropped == []
    assert median(outcome.resumed_s) <= BUSY_S


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("rounds", FEWER)
async def test_with_replicas_that_adopt_each_others_sessions(
    tmp_path: Path, shared: dict[str, str], rounds: int
) -> None:
    with town(tmp_path, shared, conversation=2) as found:
        check(await rage(found, seed=6, rounds=rounds, talkers=3), rounds, seed=6)
