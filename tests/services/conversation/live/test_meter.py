"""The meter of a session on a virtual clock, with a user service that does what a test says."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from mesh.clock import VirtualClock
from mesh.errors import BudgetExhaustedError, NotFoundError, UnavailableError, VivavoceError
from services.conversation.domain import events
from services.conversation.live.meter import Meter, first_booking_s


class Purse:
    """A budget of `limit` seconds, or one that fails with `failure`."""

    def __init__(self, limit: int = 1_000) -> None:
        self.limit = limit
        self.places: dict[str, int] = {}
        self.left: list[str] = []
        self.failure: VivavoceError | None = None

    async def take_place(self, user_id: str, conversation_id: str) -> str:
        self._check()
        place_id = f"bud_{len(self.places)}"
        self.places[place_id] = 0
        return place_id

    async def renew(self, place_id: str, seconds: int) -> None:
        self._check()
        self.places[place_id] = seconds
        if self.used > self.limit:
            raise BudgetExhaustedError("Used up.")

    async def leave(self, place_id: str, seconds: int) -> None:
        self._check()
        self.places[place_id] = seconds
        self.left.append(place_id)

    @property
    def used(self) -> int:
        return sum(self.places.values())

    def _check(self) -> None:
        if self.failure:
            raise self.failure


class Bench:
    def __init__(self, purse: Purse) -> None:
        self.purse = purse
        self.clock = VirtualClock()
        self.posted: list[events.Event] = []
        self.meter = Meter(purse, "usr_1", "cnv_1", self.clock, self._post, every_s=20.0, first_s=20.0)
        # The talk goes on all the time.
        self.meter.seconds = self.clock.now

    async def _post(self, event: events.Event) -> None:
        self.posted.append(event)


@asynccontextmanager
async def running(purse: Purse) -> AsyncIterator[Bench]:
    bench = Bench(purse)
    await bench.meter.open()
    metering = asyncio.create_task(bench.meter.run())
    yield bench
    metering.cancel()
    await asyncio.wait([metering])


async def test_what_is_used_is_booked_as_the_talk_goes_on_and_at_its_end() -> None:
    async with running(Purse()) as bench:
        await bench.clock.elapse(61)
        assert bench.purse.used == 60
    assert await bench.meter.close()
    assert (bench.purse.used, bench.purse.left) == (61, ["bud_0"])


async def test_a_budget_that_is_used_up_is_told_to_the_session_once() -> None:
    async with running(Purse(limit=50)) as bench:
        await bench.clock.elapse(200)
        assert [type(event) for event in bench.posted] == [events.BudgetSpent]
    assert await bench.meter.close()
    assert bench.purse.used == 200


async def test_what_is_used_while_the_user_service_is_away_is_booked_when_it_is_back() -> None:
    purse = Purse()
    purse.failure = UnavailableError("Away.")
    async with running(purse) as bench:
        await bench.clock.elapse(100)
        assert purse.used == 0
        purse.failure = None
        await bench.clock.elapse(20)
        assert purse.used == 120
    assert not bench.posted


async def test_the_last_seconds_are_booked_late_and_not_for_ever() -> None:
    async with running(Purse()) as bench:
        await bench.clock.elapse(30)
    bench.purse.failure = UnavailableError("Away.")
    assert not await bench.meter.close()
    late = asyncio.create_task(bench.meter.close_late())
    await bench.clock.elapse(10)
    bench.purse.failure = None
    bench.meter.seconds = lambda: 30.0
    await bench.clock.elapse(60)
    assert late.done()
    assert bench.purse.used == 30
    bench.purse.failure = UnavailableError("Away.")
    given_up = asyncio.create_task(bench.meter.close_late())
    await bench.clock.elapse(120)
    assert given_up.done()


async def test_a_place_that_was_lost_is_taken_again_and_nothing_is_booked_twice() -> None:
    async with running(Purse()) as bench:
        await bench.clock.elapse(40)
        bench.purse.failure = NotFoundError("Swept away.")
        await bench.clock.elapse(20)
        bench.purse.failure = None
        await bench.clock.elapse(20)
        assert bench.purse.places == {"bud_0": 40, "bud_1": 40}


async def test_no_place_means_no_session() -> None:
    purse = Purse()
    for purse.failure in (BudgetExhaustedError("Used up."), NotFoundError("Deleted.")):
        bench = Bench(purse)
        with pytest.raises(type(purse.failure)):
            await bench.meter.open()
        bench.meter.seconds = lambda: 0.0
        assert await bench.meter.close()


async def test_sessions_that_opened_together_do_not_all_book_together() -> None:
    firsts = [first_booking_s(f"cnv_{number}", 20.0) for number in range(200)]
    assert max(firsts) < 20.0
    for begin in range(0, 20, 2):
        assert 5 <= sum(begin <= first < begin + 2 for first in firsts) <= 40
