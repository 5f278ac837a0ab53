"""Finishes recordings whose streams broke off, and removes what is not to be kept any more."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from services.media.domain.recordings import Library, Recordings
from services.media.domain.stores import Spool, segment_key
from services.media.domain.tracks import Track
from services.media.removal import Removal

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rules:
    """When a recording is forsaken, and how long one is kept at most; 0 days are for good."""

    forsaken_after_s: float
    longest_keep_days: int


class Upkeep:
    """Looks for both; the janitor has it do so every minute."""

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
    ) -> None:
        self._spool = spool
        self._recordings = recordings
        self._library = library
        self._removal = removal
        self._is_live = is_live
        self._finished = finished
        self._rules = rules

    async def sweep(self, now_us: int) -> int:
        """Does a round; how many recordings expired, or were finished."""
        expired = await self._library.condemn_expired(now_us, self._rules.longest_keep_days)
        await self._removal.sweep()
        forsaken = await self._recordings.forsaken(now_us - int(self._rules.forsaken_after_s * 1_000_000))
        unfinished = [recording_id for recording_id in forsaken if not self._is_live(recording_id)]
        for recording_id in unfinished:
            await self._finish(recording_id)
        await self._removal.remove_strays(self._is_live)
        return expired + len(unfinished)

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
