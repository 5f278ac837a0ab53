"""`viva bench load`: what it counts is right; what it times is for quiet machines."""

import asyncio
import math

import pytest

from cli.bench.crowd import Door, Level
from cli.bench.endurance import Echoed
from cli.bench.load import UNBOUNDED, Part, Plan, measured
from cli.bench.report import Figure
from cli.bench.server import INSTANT, NO_WAITS, mesh_process
from mesh.server import run

_SHORT = Plan((3,), (), 3, 12, 2, 7.0)


def test_frames_that_never_came_back_are_lost_and_those_that_came_late_out_of_order() -> None:
    echoed = Echoed()
    for number in (3, 4, 7, 6, 8):
        echoed.came(number)
    echoed.end(11)
    assert (echoed.first, echoed.last) == (3, 8)
    # 5 and 9 and 10 never came; 6 counts as lost when 7 comes, and as out of order when it does.
    assert (echoed.lost, echoed.reordered) == (4, 1)


def test_a_level_whose_turns_got_no_answer_is_never_in_time() -> None:
    level = Level(2, (), 4, (), (), 0.1)
    assert not level.answered
    assert level.turn_ms(99) == level.frame_ms(99) == level.socket_ms(99) == math.inf


@pytest.mark.soak
@pytest.mark.timeout(180)
def test_it_counts_sessions_turns_and_frames() -> None:
    parts: tuple[Part, ...] = ("sessions", "idle", "endurance")

    async def together(door: Door) -> list[list[Figure]]:
        return await asyncio.gather(*(measured(part, door, _SHORT) for part in parts))

    with mesh_process(INSTANT | NO_WAITS | UNBOUNDED) as mesh:
        found = {figure.name: figure for figures in run(together(mesh.door)) for figure in figures}
    assert found["3 sessions, turns answered"].measured == {"value": 100}
    assert 0 < found["3 sessions, a ping's round trip"].measured["p50"] < 1000
    assert 0 < found["3 sessions, a socket's ping"].measured["p50"] < 1000
    assert found["idle sessions open at once that answer"].measured == {"value": 12}
    counted = {name.partition(": ")[2]: figure.measured["value"] for name, figure in found.items() if " min: " in name}
    assert counted["frames lost"] == counted["frames out of order"] == counted["turns without an answer"] == 0
    assert 200 < counted["frames that came back"] <= 350
