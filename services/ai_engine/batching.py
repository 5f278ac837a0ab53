"""One thread that works on everything that waits at once, for small frequent calls of many sessions."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Generic, Self, TypeVar

from mesh.workers import Load, closed, full

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class _Call(Generic[Item, Result]):
    item: Item
    answer: asyncio.Future[Result]
    admitted_s: float


class Batcher(Generic[Item, Result]):
    """Gathers the calls of many sessions into batches.

    It never waits for a batch to fill: what gathers while one batch runs is the next. `work` gets the items in the
    order in which they came and returns one result for each. All callers share the event loop that opened it
    (`async with`); leaving finishes what waits.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[Sequence[Item]], Sequence[Result]],
        *,
        queue: int = 256,
        largest: int = 32,
        now: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.name = name
        self._work = work
        self._places = queue
        self._largest = largest
        self._now = now
        self._load = Load()
        self._calls: deque[_Call[Item, Result]] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)

    @property
    def load(self) -> Load:
        """A snapshot."""
        return self._load

    async def run(self, item: Item) -> Result:
        """Hands in an item; returns its result or raises what `work` raised for its batch.

        Raises OverloadedError when the queue is full and UnavailableError when it is not open. Cancelling drops the
        result; the work is done all the same, because it may carry state from one item to the next.
        """
        if self._loop is None or self._closed:
            raise closed(self.name)
        call: _Call[Item, Result] = _Call(item, self._loop.create_future(), self._now())
        with self._changed:
            if len(self._calls) >= self._places:
                self._load = self._load.refusing()
                raise full(self.name)
            self._calls.append(call)
            self._load = replace(self._load, waiting=len(self._calls))
            self._changed.notify()
        return await call.answer

    async def close(self) -> None:
        """Finishes what waits and returns when the thread has ended. Closing twice is harmless."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        await asyncio.to_thread(self._thread.join)

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._thread.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _serve(self) -> None:
        while batch := self._next_batch():
            try:
                results: Sequence[Result] | Exception = self._work([call.item for call in batch])
            except Exception as error:  # The root of this thread: every caller of the batch gets the error.
                results = error
            with self._changed:
                for _ in batch:
                    self._load = self._load.ending()
            if self._loop is not None:
                self._loop.call_soon_threadsafe(_deliver, batch, results)

    def _next_batch(self) -> list[_Call[Item, Result]]:
        with self._changed:
            while not self._calls and not self._closed:
                self._changed.wait()
            batch = [self._calls.popleft() for _ in range(min(self._largest, len(self._calls)))]
            for call in batch:
                self._load = self._load.beginning(self._now() - call.admitted_s)
            return batch


def _deliver(batch: Sequence[_Call[Item, Result]], results: Sequence[Result] | Exception) -> None:
    for place, call in enumerate(batch):
        if call.answer.done():
            continue
        if isinstance(results, Exception):
            call.answer.set_exception(results)
        else:
            call.answer.set_result(results[place])
