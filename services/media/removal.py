"""Removes recordings: one, or all of a person's, from whom none is taken any more."""

from mesh.clock import Clock
from services.media.domain.recordings import Blobs, Recordings


class Removal:
    """Removes what is kept. Files first: should it end between the two, the rows still say what is left to remove."""

    def __init__(self, *, blobs: Blobs, recordings: Recordings, clock: Clock) -> None:
        self._blobs = blobs
        self._recordings = recordings
        self._clock = clock

    async def remove(self, recording_id: str) -> None:
        """Removes a recording. One that is being made ends."""
        await self._blobs.delete_all(recording_id)
        await self._recordings.delete(recording_id)

    async def forget(self, user_id: str, request_id: str) -> int:
        """Removes all of a person's, for ever; how many there were. The same request again has the same answer.

        Raises:
            ConflictError: another call forgets the same person.
            UnavailableError: the files can't be removed now; the same request takes up where this one ended.
        """
        count = await self._recordings.forget(user_id, request_id, int(self._clock.wall().timestamp() * 1_000_000))
        await self.sweep()
        return count

    async def sweep(self) -> None:
        """Removes what is left of people who were forgotten, such as a recording that began just then."""
        for recording_id in await self._recordings.of_forgotten():
            await self.remove(recording_id)
