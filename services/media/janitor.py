"""Finishes recordings whose streams broke off and were not taken up again."""

import logging
from collections.abc import Callable
from typing import Final

from mesh.clock import Clock
from mesh.errors import VivavoceError
from services.media.domain.recordings import Blobs, Recordings, segment_key
from services.media.domain.tracks import Track

_EVERY_S: Final = 60.0

_log: Final = logging.getLogger(__name__)


class Janitor:
    """Looks for forsaken recordings: at the start, and every minute."""

    def __init__(
        self,
        *,
        blobs: Blobs,
        recordings: Recordings,
        is_live: Callable[[str], bool],
        forsaken_after_s: float,
        clock: Clock,
    ) -> None:
        self._blobs = blobs
        self._recordings = recordings
        self._is_live = is_live
        self._forsaken_after_s = forsaken_after_s
        self._clock = clock

    async def run(self) -> None:
        """Sweeps for as long as it runs; a sweep that fails is repeated a minute later."""
        while True:
            await self._clock.sleep(_EVERY_S)
            try:
                await self.sweep()
            except VivavoceError as error:
                _log.warning("forsaken recordings could not be finished", extra={"error": type(error).__name__})

    async def sweep(self) -> None:
        """Finishes what is forsaken by now."""
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
