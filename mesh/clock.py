"""Where time comes from: the machine, or a test."""

import asyncio
import heapq
import itertools
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time and waits for it."""

    def now(self) -> float:
        """Seconds of a clock that never goes backwards; only differences mean something."""
        ...

    def wall(self) -> datetime:
        """Date and time in UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Returns when `seconds` have passed; at once, but not before other tasks had their turn, where 0 or less."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        """Seconds of the monotonic clock."""
        return time.monotonic()

    def wall(self) -> datetime:
        """Date and time in UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Sleeps on the event loop."""
        await asyncio.sleep(seconds)


class VirtualClock:
    """A clock that stands still until a test moves it."""

    def __init__(self, start: datetime = datetime(2030, 1, 1, tzinfo=UTC)) -> None:
        self._start = start
        self._now = 0.0
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> float:
        """Seconds by which the clock was moved."""
        return self._now

    def wall(self) -> datetime:
        """The start plus what it was moved by."""
        return self._start + timedelta(seconds=self._now)

    async def sleep(self, seconds: float) -> None:
        """Returns when the test has moved the clock far enough."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + seconds, next(self._order), woken))
        await woken

    def advance(self, seconds: float) -> None:
        """Moves the clock and wakes who is due; they run when the test next awaits."""
        self._now += seconds
        while self._sleepers and self._sleepers[0][0] <= self._now + 1e-9:
            _, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                woken.set_result(None)

    async def elapse(self, seconds: float) -> None:
        """Moves the clock from one waking to the next, letting the woken run (and sleep again) in between."""
        end = self._now + seconds
        await _settle()
        while self._sleepers and self._sleepers[0][0] <= end + 1e-9:
            self.advance(max(0.0, self._sleepers[0][0] - self._now))
            await _settle()
        self.advance(max(0.0, end - self._now))
        await _settle()


async def _settle() -> None:
    # Tasks woken through a few queues and futures need a few rounds of the loop to come to rest.
    for _ in range(10):
        await asyncio.sleep(0)
