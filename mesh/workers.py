"""Threads for work that would block the event loop: inference, hashing, files; with a bound on how much may wait."""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Final, Self, TypeVar, TypeVarTuple, Unpack

from mesh.errors import OverloadedError, UnavailableError

Result = TypeVar("Result")
Arguments = TypeVarTuple("Arguments")

#: Before NumPy is loaded: threads of its own would spin for some 60 ms after each product of matrices, on processors
#: that others want, and gain nothing with matrices as small as ours.
NO_SPINNING: Final = {"OPENBLAS_NUM_THREADS": "1"}


@dataclass(frozen=True, slots=True)
class Load:
    """How busy a pool is, and has been since it opened."""

    #: Calls that wait for a thread now, and calls that a thread works on now.
    waiting: int = 0
    running: int = 0
    finished: int = 0
    #: Calls turned away because the queue was full.
    refused: int = 0
    #: Seconds that calls spent waiting: all together, and the longest.
    waited_s: float = 0.0
    longest_wait_s: float = 0.0

    def refusing(self) -> "Load":
        """After a call was turned away."""
        return replace(self, refused=self.refused + 1)

    def beginning(self, waited_s: float) -> "Load":
        """After a call that waited so long reached a thread."""
        return replace(
            self,
            waiting=self.waiting - 1,
            running=self.running + 1,
            waited_s=self.waited_s + waited_s,
            longest_wait_s=max(self.longest_wait_s, waited_s),
        )

    def ending(self) -> "Load":
        """After a thread was done with a call."""
        return replace(self, running=self.running - 1, finished=self.finished + 1)


class Workers:
    """A pool of threads for one kind of work, with a bounded queue.

    Use one pool for each kind of work, so that a quick one never stands behind a slow one. Leaving the `async with`
    drops what still waits, and waits for the calls that a thread has begun.
    """

    def __init__(
        self, name: str, *, threads: int = 1, queue: int = 16, now: Callable[[], float] = time.perf_counter
    ) -> None:
        self.name = name
        self._places = threads + queue
        self._now = now
        self._guard = threading.Lock()
        self._load = Load()
        self._closed = False
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)

    @property
    def load(self) -> Load:
        """A snapshot."""
        return self._load

    async def run(self, function: Callable[[Unpack[Arguments]], Result], *arguments: *Arguments) -> Result:
        """Runs `function` in a thread of the pool; returns what it returns and raises what it raises.

        Raises OverloadedError at once when every thread is busy and the queue is full, and UnavailableError after
        closing. Cancelling takes a waiting call out of the queue; a call that has begun keeps its thread until it
        ends, and its result is dropped.
        """
        return await asyncio.wrap_future(self._submit(lambda: function(*arguments)))

    async def close(self) -> None:
        """Drops what waits and returns when the threads have ended. Closing twice is harmless."""
        self._closed = True
        self._executor.shutdown(wait=False, cancel_futures=True)
        await asyncio.to_thread(self._executor.shutdown)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _submit(self, call: Callable[[], Result]) -> Future[Result]:
        if self._closed:
            raise closed(self.name)
        with self._guard:
            if self._load.waiting + self._load.running >= self._places:
                self._load = self._load.refusing()
                raise full(self.name)
            self._load = replace(self._load, waiting=self._load.waiting + 1)
        future = self._executor.submit(self._work, call, self._now())
        future.add_done_callback(self._left)
        return future

    def _work(self, call: Callable[[], Result], admitted_s: float) -> Result:
        with self._guard:
            self._load = self._load.beginning(self._now() - admitted_s)
        try:
            return call()
        finally:
            with self._guard:
                self._load = self._load.ending()

    def _left(self, future: Future[Result]) -> None:
        if future.cancelled():
            with self._guard:
                self._load = replace(self._load, waiting=self._load.waiting - 1)


def full(name: str) -> OverloadedError:
    """The answer to a full queue."""
    return OverloadedError(
        f"The queue of the {name} workers is full; try again in a moment, or give the server more processors.",
        metadata={"workers": name},
    )


def closed(name: str) -> UnavailableError:
    """The answer after closing."""
    return UnavailableError(f"The {name} workers are closed because the server is stopping; connect again.")
