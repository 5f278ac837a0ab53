"""Finishes recordings whose streams broke off, and removes what is not to be kept any more."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from mesh.clock import Clock
from mesh.errors import UnavailableError
from services.media.domain.recordings import Library, Recordings
from services.media.domain.stores import Spool, segment_key
from services.media.domain.tracks import Track
from services.media.removal import Removal

_EVERY_S: Final = 60.0

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rules:
    """When a recording is forsaken, and how long one is kept at most; 0 days are for good."""

    forsaken_after_s: float
    longest_keep_days: int


class Janitor:
    """Looks for both at the start, and every minute within its `async with` block."""

    def __init__(
        self,
        *,
        spool: Spool,
        recordings: Recordings,
        library: Library,
        removal: Removal,
        is_live: Callable[[str], bool],
        finished: Callable[[], None],
        rules: Rules,
        clock: Clock,
    ) -> None:
        self._spool = spool
        self._recordings = recordings
        self._library = library
        self._removal = removal
        self._is_live = is_live
        self._finished = finished
        self._rules = rules
        self._clock = clock
        self._rounds: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Sweeps, then goes on in the background."""
        await self._round()
        self._rounds = asyncio.create_task(self._make_rounds(), name="janitor")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stops; a sweep that was begun is taken up at the next start."""
        if self._rounds is not None:
            self._rounds.cancel()
            await asyncio.wait([self._rounds])

    async def _make_rounds(self) -> None:
        while True:
            await self._clock.sleep(_EVERY_S)
            try:
                await self._round()
            except Exception:
                # The root of this task: nobody waits for a sweep, and the next may succeed.
                _log.exception("the janitor could not do its round")

    async def _round(self) -> None:
        try:
            await self.sweep()
        except UnavailableError as error:
            # A store that is away must not keep the service from starting, nor fill the log.
            _log.warning("the janitor could not do all of its round", extra={"error": error.message})

    async def sweep(self) -> None:
        """Does a round."""
        now_us = int(self._clock.wall().timestamp() * 1_000_000)
        if expired := await self._library.condemn_expired(now_us, self._rules.longest_keep_days):
            _log.info("recordings expired", extra={"recordings": expired})
        await self._removal.sweep()
        forsaken = await self._recordings.forsaken(now_us - int(self._rules.forsaken_after_s * 1_000_000))
        for recording_id in forsaken:
            if not self._is_live(recording_id):
                await self._finish(recording_id)
        await self._removal.remove_strays(self._is_live)

    async def _finish(self, recording_id: str) -> None:
        await self._spool.tidy(recording_id)
        known = {
            segment_key(recording_id, track, segment.first_sample)
            for track in Track
            for segment in await self._recordings.segments(recording_id, track)
        }
        # A crash between file and manifest leaves a file that was never acknowledged.
        for key in set(await self._spool.keys(recording_id)) - known:
            await self._spool.delete(key)
        await self._recordings.finish(recording_id)
        self._finished()
        _log.info("forsaken recording finished", extra={"recording_id": recording_id})
