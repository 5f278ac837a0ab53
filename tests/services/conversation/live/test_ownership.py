"""A conversation is held by the process that took it last."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from mesh.clock import VirtualClock
from mesh.ephemeral import Ephemeral, Memory
from mesh.errors import UnavailableError
from services.conversation.live.ownership import EVERY_S, Ownership


class Away(Memory):
    """A store of leases that can't be reached."""

    async def extend(self, key: str, holder: str, *, lifetime_s: float) -> bool:
        raise UnavailableError("It is away.")


class Hanging(Memory):
    """A store of leases that answers nothing until it goes on."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__(clock)
        self.goes_on = asyncio.Event()
        self.goes_on.set()

    async def put(self, key: str, value: str, *, lifetime_s: float) -> None:
        await self.goes_on.wait()
        await super().put(key, value, lifetime_s=lifetime_s)


@asynccontextmanager
async def process(leases: Ephemeral, clock: VirtualClock, lost: list[str]) -> AsyncIterator[Ownership]:
    ownership = Ownership(leases, clock, lost.append)
    running = asyncio.create_task(ownership.run())
    yield ownership
    running.cancel()
    await asyncio.wait({running})


async def test_who_takes_it_last_holds_it_and_the_other_is_told() -> None:
    clock, lost = VirtualClock(), list[str]()
    leases = Memory(clock)
    async with process(leases, clock, lost) as first, process(leases, clock, []) as second:
        await first.take("cnv_1")
        await first.take("cnv_2")
        await second.take("cnv_1")
        await clock.elapse(EVERY_S)
        assert lost == ["cnv_1"]
        await clock.elapse(EVERY_S)
        assert lost == ["cnv_1"], "once"


async def test_a_lease_is_extended_for_as_long_as_it_is_held() -> None:
    clock, lost = VirtualClock(), list[str]()
    leases = Memory(clock)
    async with process(leases, clock, lost) as owner:
        await owner.take("cnv_1")
        for _ in range(10):
            await clock.elapse(EVERY_S)
        assert await leases.get("conversation:cnv_1")
        await owner.release("cnv_1")
        assert await leases.get("conversation:cnv_1") is None
    assert not lost


async def test_a_store_that_forgot_takes_nothing_from_anyone() -> None:
    clock, lost = VirtualClock(), list[str]()
    leases = Memory(clock)
    async with process(leases, clock, lost) as owner:
        await owner.take("cnv_1")
        holder = await leases.get("conversation:cnv_1")
        assert holder
        assert await leases.release("conversation:cnv_1", holder)
        await clock.elapse(EVERY_S)
        assert await leases.get("conversation:cnv_1")
    assert not lost


async def test_a_store_that_is_away_takes_nothing_from_anyone(caplog: pytest.LogCaptureFixture) -> None:
    clock, lost = VirtualClock(), list[str]()
    async with process(Away(clock), clock, lost) as owner:
        await owner.take("cnv_1")
        await clock.elapse(EVERY_S)
        await clock.elapse(EVERY_S)
    assert not lost
    assert "could not be extended" in caplog.text


async def test_nobody_waits_for_a_store_that_hangs_and_who_took_it_last_holds_it_when_that_goes_on() -> None:
    clock, lost_by_first, lost_by_second = VirtualClock(), list[str](), list[str]()
    leases = Hanging(clock)
    async with process(leases, clock, lost_by_first) as first, process(leases, clock, lost_by_second) as second:
        await first.take("cnv_1")
        leases.goes_on.clear()
        async with asyncio.timeout(1):
            await second.take("cnv_1")
        leases.goes_on.set()
        await clock.elapse(EVERY_S)
        await clock.elapse(EVERY_S)
    assert (lost_by_first, lost_by_second) == (["cnv_1"], [])


async def test_what_could_not_be_claimed_and_is_held_no_more_is_not_claimed_later() -> None:
    clock = VirtualClock()
    leases = Hanging(clock)
    async with process(leases, clock, []) as owner:
        leases.goes_on.clear()
        await owner.take("cnv_1")
        await owner.release("cnv_1")
        leases.goes_on.set()
        await clock.elapse(EVERY_S)
        assert await leases.get("conversation:cnv_1") is None
