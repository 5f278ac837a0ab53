"""Removes recordings: one, all of a person's, those whose time is over, and what has no row."""

import logging
from collections.abc import Awaitable, Callable
from typing import Final

from mesh.clock import Clock
from mesh.errors import UnavailableError
from services.media.domain.recordings import Library, Recordings
from services.media.domain.stores import Blobs, Spool

_log: Final = logging.getLogger(__name__)


class Removal:
    """Removes what is kept.

    First it is condemned, so that nobody finds it or adds to it; then its files go, then its rows: should it end
    between, the rows still say what is left to remove.

    `let_go` stops what is being done with a recording, and removes what was made of it for playing.
    """

    def __init__(
        self,
        *,
        spool: Spool,
        blobs: Blobs,
        recordings: Recordings,
        library: Library,
        let_go: Callable[[str], Awaitable[None]],
        clock: Clock,
    ) -> None:
        self._spool = spool
        self._blobs = blobs
        self._recordings = recordings
        self._library = library
        self._let_go = let_go
        self._clock = clock

    async def remove(self, recording_id: str) -> None:
        """Removes a recording. One that is being made ends.

        Raises:
            UnavailableError: it is condemned, and goes as soon as the store, or the machine that made it, is back.
        """
        await self._library.condemn(recording_id)
        if recording_id not in await self._library.condemned():
            raise _elsewhere()
        await self._purge(recording_id)

    async def forget(self, user_id: str, request_id: str) -> int:
        """Removes all of a person's, for ever; how many there were. The same request again has the same answer.

        Raises:
            ConflictError: another call forgets the same person.
            UnavailableError: not all can be removed now; the same request takes up where this one ended.
        """
        count = await self._library.forget(user_id, request_id, int(self._clock.wall().timestamp() * 1_000_000))
        here = set(await self._library.condemned())
        mine = await self._library.left_of(user_id)
        for recording_id in mine:
            if recording_id in here:
                await self._purge(recording_id)
        if not here.issuperset(mine):
            raise _elsewhere()
        return count

    async def sweep(self) -> None:
        """Removes what was condemned and is still there."""
        for recording_id in await self._library.condemned():
            await self._purge(recording_id)

    async def remove_strays(self, is_live: Callable[[str], bool]) -> None:
        """Removes what lies on this machine and has no row: another machine removed it meanwhile."""
        lying = [recording_id for recording_id in await self._spool.recordings() if not is_live(recording_id)]
        if lying and await self._recordings.is_empty():
            # More likely the wrong database than that all of them were removed.
            _log.warning("recordings lie here that the database does not know; they are left", extra={"n": len(lying)})
            return
        for recording_id in set(lying) - await self._recordings.known(lying):
            await self._blobs.delete_all(recording_id)
            await self._spool.delete_all(recording_id)

    async def _purge(self, recording_id: str) -> None:
        await self._let_go(recording_id)
        await self._blobs.delete_all(recording_id)
        await self._spool.delete_all(recording_id)
        await self._library.delete(recording_id)


def _elsewhere() -> UnavailableError:
    return UnavailableError("It is being removed by the machine that recorded it; repeat the call in a minute.")
