"""Archives finished recordings: makes their lasting files, puts them into the store, lets the segments go."""

import asyncio
import logging
from types import TracebackType
from typing import Final, Self

from mesh.clock import Clock
from mesh.errors import NotFoundError, OverloadedError, UnavailableError, VivavoceError
from services.media.domain.recordings import Archived, KeptFile, Recording, Recordings
from services.media.domain.stores import Blobs, Spool, file_key, segment_key
from services.media.domain.tracks import Track
from services.media.sound.jobs import Assemble, Bounds, SegmentFile, TrackFiles
from services.media.workshop import Workshop

#: How long it waits before it tries again what could not be done: twice as long each time, up to the last.
_FIRST_WAIT_S: Final = 1.0
_LAST_WAIT_S: Final = 30.0

_log: Final = logging.getLogger(__name__)


class Archivist:
    """Archives recordings, so many at once, within its `async with` block. What a crash interrupts is done again.

    A store that is away is tried again until it is back; the segments wait on disk.
    """

    def __init__(
        self,
        *,
        spool: Spool,
        blobs: Blobs,
        recordings: Recordings,
        workshop: Workshop,
        bounds: Bounds,
        at_once: int,
        clock: Clock,
    ) -> None:
        self._spool = spool
        self._blobs = blobs
        self._recordings = recordings
        self._workshop = workshop
        self._bounds = bounds
        self._at_once = at_once
        self._clock = clock
        self._woken = asyncio.Event()
        self._work: asyncio.Task[None] | None = None
        #: What is being archived, and the task that does it.
        self._busy: dict[str, asyncio.Task[None]] = {}
        #: What can't be archived, such as a damaged one; it stays as it is until the next start.
        self._given_up: set[str] = set()

    async def __aenter__(self) -> Self:
        """Takes up what a former run left."""
        self._work = asyncio.create_task(self._go_on(), name="archivist")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stops; what was begun is done again after the next start."""
        if self._work is not None:
            self._work.cancel()
            await asyncio.wait([self._work])

    def wake(self) -> None:
        """A recording is finished."""
        self._woken.set()

    async def let_go(self, recording_id: str) -> None:
        """Stops archiving this one, if it is being archived; returns when nothing touches it any more."""
        if task := self._busy.get(recording_id):
            task.cancel()
            await asyncio.wait([task])

    async def _go_on(self) -> None:
        wait_s = _FIRST_WAIT_S
        while True:
            self._woken.clear()
            try:
                await self._archive_all()
                wait_s = _FIRST_WAIT_S
                await self._woken.wait()
            except (UnavailableError, OverloadedError) as error:
                _log.warning("archiving waits", extra={"seconds": wait_s, "error": error.message})
                await self._clock.sleep(wait_s)
                wait_s = min(wait_s * 2, _LAST_WAIT_S)
            except Exception:
                # The root of this task: whatever it was, the recordings are still there.
                _log.exception("archiving failed; it is tried again")
                await self._clock.sleep(_LAST_WAIT_S)

    async def _archive_all(self) -> None:
        waiting = [each for each in await self._recordings.unarchived() if each.recording_id not in self._given_up]
        try:
            while waiting or self._busy:
                while waiting and len(self._busy) < self._at_once:
                    recording = waiting.pop(0)
                    task = asyncio.create_task(self._archive(recording), name="archive a recording")
                    self._busy[recording.recording_id] = task
                if not self._busy:
                    return
                await asyncio.wait(self._busy.values(), return_when=asyncio.FIRST_COMPLETED)
                self._settle()
        finally:
            for task in self._busy.values():
                task.cancel()
            if self._busy:
                await asyncio.wait(self._busy.values())
            self._busy.clear()

    def _settle(self) -> None:
        """Lets go of what is done; raises what made one fail."""
        for recording_id, task in list(self._busy.items()):
            if task.done():
                del self._busy[recording_id]
                # One that was cancelled was let go on purpose.
                if not task.cancelled():
                    task.result()

    async def _archive(self, recording: Recording) -> None:
        recording_id = recording.recording_id
        tracks = [await self._track(recording, track) for track in Track]
        bench = await self._spool.bench(recording_id)
        try:
            made = await self._workshop.make(Assemble(tuple(tracks), str(bench), _about(recording)), self._bounds)
        except (UnavailableError, OverloadedError):
            raise
        except VivavoceError as error:
            self._given_up.add(recording_id)
            _log.error("a recording can't be archived", extra={"recording_id": recording_id, "error": error.message})
            return
        files = [KeptFile(each.name, each.size_bytes, each.sha256) for each in made]
        samples = {track: each.samples for each in made for track in Track if each.name == f"{track.value}.flac"}
        for file in files:
            await self._blobs.put_file(file_key(recording_id, file.name), bench / file.name)
        try:
            await self._recordings.archive(recording_id, Archived(files, samples))
        except NotFoundError:
            await self._blobs.delete_all(recording_id)
        await self._spool.delete_all(recording_id)
        _log.info("recording archived", extra={"recording_id": recording_id})

    async def _track(self, recording: Recording, track: Track) -> TrackFiles:
        recording_id = recording.recording_id
        segments = await self._recordings.segments(recording_id, track)
        files = (
            SegmentFile(
                str(self._spool.file(segment_key(recording_id, track, each.first_sample))),
                each.first_sample,
                each.sha256,
            )
            for each in segments
        )
        return TrackFiles(track.value, recording.rates_hz[track], tuple(files))


def _about(recording: Recording) -> dict[str, str | int]:
    return {
        "recording_id": recording.recording_id,
        "user_id": recording.user_id,
        "conversation_id": recording.conversation_id,
        "session_id": recording.session_id,
        "begin_time_us": recording.begin_time_us,
    }
