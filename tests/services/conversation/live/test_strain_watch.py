"""How busy a process is, by its own delay and by what it asks of its engine; on a virtual clock."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from mesh.clock import VirtualClock
from services.conversation.domain.strain import Bearable, Strain
from services.conversation.live.strain_watch import EVERY_S, StrainWatch


class Bench:
    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.told: list[Strain] = []
        self.watch = StrainWatch(Bearable(lag_s=0.025, replies=2), self.clock, self.told.append)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    bench = Bench()
    watching = asyncio.create_task(bench.watch.run())
    await asyncio.sleep(0)
    yield bench
    watching.cancel()
    await asyncio.wait([watching])


async def test_replies_under_way_in_all_sessions_count_together(bench: Bench) -> None:
    first, second = bench.watch.making("ses_1"), bench.watch.making("ses_2")
    first.add("rep_1")
    await bench.clock.elapse(EVERY_S)
    assert not bench.told
    second.add("rep_2")
    await bench.clock.elapse(EVERY_S)
    assert bench.told == [Strain.BUSY]
    assert bench.watch.strain is Strain.BUSY


async def test_who_was_busy_counts_as_busy_for_two_seconds_more(bench: Bench) -> None:
    bench.watch.making("ses_1").update({"rep_1", "rep_2", "rep_3", "rep_4"})
    await bench.clock.elapse(EVERY_S)
    bench.watch.forget("ses_1")
    await bench.clock.elapse(1.5)
    assert bench.told == [Strain.OVERLOADED]
    await bench.clock.elapse(EVERY_S)
    assert bench.told == [Strain.OVERLOADED, Strain.CALM]


async def test_a_loop_that_wakes_late_again_and_again_is_busy(bench: Bench) -> None:
    for late_s in (0.0, 0.035, 0.035, 0.035):
        assert not bench.told
        # All at once: who slept half a second wakes after more.
        bench.clock.advance(EVERY_S + late_s)
        await bench.clock.elapse(0)
    assert bench.told == [Strain.BUSY]
