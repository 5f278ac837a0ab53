"""Finishes recordings whose streams broke off, and removes what is left of people who were forgotten."""

import asyncio
import logging
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from mesh.clock import Clock
from services.media.domain.recordings import Blobs, Recordings, segment_key
from services.media.domain.tracks import Track
from services.media.removal import Removal

_EVERY_S: Final = 60.0

_log: Final = logging.getLogger(__name__)


class Janitor:
    """Looks for both at the start, and every minute within its `async with` block."""

    def __init__(
        self,
        *,
        blobs: Blobs,
        recordings: Recordings,
        removal: Removal,
        is_live: Callable[[str], bool],
        forsaken_after_s: float,
        clock: Clock,
    ) -> None:
        self._blobs = blobs
        self._recordings = recordings
        self._removal = removal
        self._is_live = is_live
        self._forsaken_after_s = forsaken_after_s
        self._clock = clock
        self._rounds: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Sweeps, then goes on in the background."""
        await self.sweep()
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
                await self.sweep()
            except Exception:
                # The root of this task: nobody waits for a sweep, and the next may succeed.
                _log.exception("the janitor could not do its round")

    async def sweep(self) -> None:
        """Removes what is left of the forgotten, and finishes what is forsaken by now."""
        await self._removal.sweep()
        before_us = int((self._clock.wall().timestamp() - self._forsaken_after_s) * 1_000_000)
        for recording_id in await self._recordings.forsaken(before_us):
            if not self._is_live(recording_id):
                await self._finish(recording_id)

    async def _finish(self, recording_id: str) -> None:
        await self._blobs.tidy(recording_id)
        known = {
            segment_key(recording_id, track, segment.first_sample)
            for track in Track
            for segment in await self._recordings.segments(recording_id, track)
        }
        # A crash between file and manifest leaves a file that was never acknowledged.
        for key in set(await self._blobs.keys(recording_id)) - known:
            await self._blobs.delete(key)
        await self._recordings.finish(recording_id)
        _log.info("forsaken recording finished", extra={"recording_id": recording_id})
