"""Does now and then what a service keeps its store in order by."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import Final, Self

from mesh.clock import Clock
from mesh.errors import UnavailableError

_EVERY_S: Final = 3600.0

_log: Final = logging.getLogger(__name__)

#: Does what is due at this time (microseconds since 1970), and returns how much it was.
Sweep = Callable[[int], Awaitable[int]]


class Janitor:
    """Sweeps at the start, and every `every_s` within its `async with` block. `sweeps` are named for the log."""

    def __init__(self, sweeps: Mapping[str, Sweep], clock: Clock, *, every_s: float = _EVERY_S) -> None:
        self._sweeps = sweeps
        self._clock = clock
        self._every_s = every_s
        self._rounds: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Sweeps, then goes on in the background."""
        await self.sweep()
        self._rounds = asyncio.create_task(self._make_rounds(), name="janitor")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stops; what was not swept is at the next start."""
        if self._rounds is not None:
            self._rounds.cancel()
            await asyncio.wait([self._rounds])

    async def sweep(self) -> None:
        """Sweeps everything once; one sweep that fails leaves the others to do."""
        now_us = int(self._clock.wall().timestamp() * 1_000_000)
        for name, sweep in self._sweeps.items():
            try:
                if swept := await sweep(now_us):
                    _log.info("did what was due", extra={"what": name, "count": swept})
            except UnavailableError as error:
                # A store that is away must not keep the service from starting, nor fill the log.
                _log.warning("sweep failed", extra={"what": name, "error": error.message})
            except Exception:
                # Nobody waits for a sweep, and the next may succeed.
                _log.exception("sweep failed", extra={"what": name})

    async def _make_rounds(self) -> None:
        while True:
            await self._clock.sleep(self._every_s)
            await self.sweep()
