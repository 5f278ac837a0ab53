"""Records: cuts both tracks into segments, keeps each, and says so."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from mesh.clock import Clock
from mesh.errors import ConflictError, NotFoundError, OverloadedError, VivavoceError
from services.media.domain.recordings import KeptRecording, Line, Recording, Recordings, Segment
from services.media.domain.stores import Spool, segment_key
from services.media.domain.tracks import OpenTrack, Piece, Track

#: How often sound that waits is looked after.
_LOOK_S: Final = 0.5

_log: Final = logging.getLogger(__name__)

#: How long the rest of a stream that broke off may take to be kept.
_REST_S: Final = 5.0

#: Told when a track is on disk up to a sample.
Told = Callable[[Track, int], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is held in memory, and kept."""

    segment_s: float
    longest_recording_s: int
    most_recordings: int


async def _nobody(track: Track, kept_samples: int) -> None:
    """Tells nobody: the stream has gone."""


class OpenRecording:
    """A recording that is being made by one stream."""

    def __init__(
        self,
        known: KeptRecording,
        *,
        spool: Spool,
        recordings: Recordings,
        limits: Limits,
        clock: Clock,
        told: Told,
    ) -> None:
        self.recording = known.recording
        self._spool = spool
        self._recordings = recordings
        self._segment_s = limits.segment_s
        self._clock = clock
        self._told = told
        self._keeping = asyncio.Lock()
        self._broken = False
        self._tracks = {
            track: OpenTrack(
                rate_hz=rate_hz,
                kept_samples=known.kept[track].samples,
                segment_s=limits.segment_s,
                longest_s=limits.longest_recording_s,
            )
            for track, rate_hz in known.recording.rates_hz.items()
        }

    async def append(self, track: Track, first_sample: int, pcm: bytes) -> None:
        """Takes sound in, and returns when what became a whole segment by it is on disk.

        Raises:
            BadAudioError: the sound is not what the track can take.
            UnavailableError, OverloadedError: it can't be kept.
            NotFoundError: the recording was deleted.
        """
        async with self._keeping:
            await self._keep(track, self._tracks[track].append(first_sample, pcm, self._clock.now()))

    async def mark(self, line: Line) -> None:
        """Notes where a line was spoken."""
        await self._recordings.mark(self.recording.recording_id, line)

    async def keep_in_time(self) -> None:
        """Keeps sound that has waited for a segment's length, for as long as it runs."""
        while True:
            await self._clock.sleep(_LOOK_S)
            async with self._keeping:
                for track, opened in self._tracks.items():
                    since = opened.waits_since()
                    if since is not None and self._clock.now() - since >= self._segment_s:
                        await self._keep(track, opened.cut())

    async def keep_all(self) -> None:
        """Keeps what is left."""
        async with self._keeping:
            for track, opened in self._tracks.items():
                await self._keep(track, opened.cut())

    async def keep_rest(self) -> None:
        """Keeps what is left after the stream has gone, unless something before it could not be kept.

        What is kept says that all before it is kept too: it would hide the hole.
        """
        self._told = _nobody
        if not self._broken:
            await self.keep_all()

    async def _keep(self, track: Track, pieces: list[Piece]) -> None:
        for piece in pieces:
            key = segment_key(self.recording.recording_id, track, piece.first_sample)
            # Broken until it is done: a cancelled stream must not keep what comes after this piece either.
            self._broken = True
            sha256 = await self._spool.put(key, piece.pcm)
            segment = Segment(track, piece.first_sample, piece.samples, sha256)
            try:
                now_us = int(self._clock.wall().timestamp() * 1_000_000)
                await self._recordings.keep(self.recording.recording_id, segment, now_us)
            except NotFoundError:
                await self._spool.delete(key)
                raise
            self._broken = False
            await self._told(track, piece.end_sample)


class Recorder:
    """Makes recordings, each by one stream at a time; `finished` is called when one is.

    Use as `async with`, around the streams.
    """

    def __init__(
        self, *, spool: Spool, recordings: Recordings, limits: Limits, clock: Clock, finished: Callable[[], None]
    ) -> None:
        self._spool = spool
        self._recordings = recordings
        self._limits = limits
        self._clock = clock
        self._finished = finished
        self._live: set[str] = set()
        self._ending: dict[str, asyncio.Task[None]] = {}

    async def __aenter__(self) -> Self:
        """Starts nothing."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Waits until what streams left behind is kept: some seconds at most."""
        if self._ending:
            await asyncio.wait(self._ending.values())

    def is_live(self, recording_id: str) -> bool:
        """Whether it is being made here."""
        return recording_id in self._live or recording_id in self._ending

    @contextmanager
    def claim(self, recording_id: str) -> Iterator[None]:
        """Keeps others from making the same recording within the block.

        Raises:
            ConflictError: another stream makes it, or its rest is being kept; start again in a moment.
            OverloadedError: too many recordings are being made, or wait for the store.
        """
        if self.is_live(recording_id):
            raise ConflictError("Another stream makes this recording; end it, or start again in a moment.")
        if len(self._live) >= self._limits.most_recordings:
            raise OverloadedError("Too many conversations are being recorded; try again later.")
        self._spool.check_room()
        self._live.add(recording_id)
        try:
            yield
        finally:
            self._live.discard(recording_id)

    async def start(self, wanted: Recording) -> KeptRecording:
        """The recording, new or as it was left.

        Raises:
            AlreadyExistsError: the id is another recording's.
        """
        return await self._recordings.start(wanted)

    async def record(
        self, known: KeptRecording, told: Told, feed: Callable[[OpenRecording], Awaitable[None]]
    ) -> KeptRecording:
        """Records what `feed` appends, and finishes the recording when it returns.

        When it fails or is cancelled, what came before is kept in the background, and the recording can be started
        again, to go on or to be finished by the janitor.
        """
        opened = OpenRecording(
            known,
            spool=self._spool,
            recordings=self._recordings,
            limits=self._limits,
            clock=self._clock,
            told=told,
        )
        try:
            async with asyncio.TaskGroup() as tasks:
                looking = tasks.create_task(opened.keep_in_time(), name="keep in time")
                await feed(opened)
                looking.cancel()
            await opened.keep_all()
            finished = await self._recordings.finish(opened.recording.recording_id)
        except BaseException as error:
            self._keep_rest(opened)
            if isinstance(error, ExceptionGroup):
                raise error.exceptions[0] from None
            raise
        if finished is None:
            raise NotFoundError("The recording was deleted while it was made; begin another one.")
        self._finished()
        return finished

    def _keep_rest(self, opened: OpenRecording) -> None:
        recording_id = opened.recording.recording_id
        ending = asyncio.create_task(_keep_rest(opened), name="keep the rest")
        self._ending[recording_id] = ending
        ending.add_done_callback(lambda _: self._ending.pop(recording_id))


async def _keep_rest(opened: OpenRecording) -> None:
    try:
        async with asyncio.timeout(_REST_S):
            await opened.keep_rest()
    except (VivavoceError, TimeoutError) as error:
        _log.warning(
            "the end of a recording is lost",
            extra={"recording_id": opened.recording.recording_id, "error": type(error).__name__},
        )
