"""Runs blocking work in threads of its own, with a bound on how much may wait."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self, TypeVar

from mesh.errors import OverloadedError

T = TypeVar("T")


class BoundedThreads:
    """A pool of `threads`, in front of which at most `waiting` calls wait. Use as `async with`.

    For work that would hold up the event loop or starve a pool shared with others: hashing, files.
    """

    def __init__(self, name: str, threads: int, waiting: int) -> None:
        self._name = name
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._free = threads + waiting

    async def __aenter__(self) -> Self:
        """Starts nothing yet: threads start with the first calls."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Waits for what runs; drops what waits."""
        await asyncio.to_thread(self._pool.shutdown, wait=True, cancel_futures=True)

    async def run(self, work: Callable[..., T], *arguments: object) -> T:
        """Returns what `work(*arguments)` returns, in a thread. Cancelling the call does not stop work that has begun.

        Raises:
            OverloadedError: too many calls wait; nothing was done.
        """
        if self._free <= 0:
            raise OverloadedError(f"The server has too much to do ({self._name}); try again in a moment.")
        self._free -= 1
        running = asyncio.get_running_loop().run_in_executor(self._pool, work, *arguments)
        running.add_done_callback(self._done)
        return await running

    def _done(self, running: "asyncio.Future[Any]") -> None:
        self._free += 1
        if not running.cancelled():
            running.exception()  # Taken note of, for a caller that was cancelled meanwhile.
