"""Reads a stretch of a track back as a WAV file in pieces: from its segments, or from the archive."""

import hashlib
import logging
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Final

import soundfile

from mesh.errors import VivavoceError
from mesh.workers import Workers
from services.media.domain.recordings import KeptRecording, Recording, Recordings
from services.media.domain.stores import Spool, segment_key
from services.media.domain.stretch import Excerpt, Silence, checked, stretch, wav_header
from services.media.domain.tracks import BYTES_PER_SAMPLE, Track
from services.media.lasting import LastingFiles

PIECE_BYTES: Final = 64 * 1024

_log: Final = logging.getLogger(__name__)


class Downloads:
    """Tracks as WAV files."""

    def __init__(self, *, spool: Spool, recordings: Recordings, lasting: LastingFiles, threads: Workers) -> None:
        self._spool = spool
        self._recordings = recordings
        self._lasting = lasting
        self._threads = threads

    async def wav(
        self, known: KeptRecording, track: Track, from_sample: int, to_sample: int
    ) -> AsyncGenerator[bytes, None]:
        """The file's header, then its sound in pieces of at most 64 KiB; gaps are silence. 0 as `to_sample` is the end.

        Raises:
            InvalidFieldError: the range is upside down or lies after the end; before any piece.
            VivavoceError: what is kept is damaged.
        """
        if known.recording.archived:
            parts = self._of_archive(known, track, from_sample, to_sample)
        else:
            parts = self._of_segments(known.recording, track, from_sample, to_sample)
        async for part in parts:
            for start in range(0, len(part), PIECE_BYTES):
                yield part[start : start + PIECE_BYTES]

    async def _of_segments(
        self, recording: Recording, track: Track, from_sample: int, to_sample: int
    ) -> AsyncGenerator[bytes, None]:
        segments = await self._recordings.segments(recording.recording_id, track)
        samples, parts = stretch(segments, from_sample, to_sample)
        yield wav_header(recording.rates_hz[track], samples)
        for part in parts:
            match part:
                case Silence():
                    for piece in _silence(part.samples * BYTES_PER_SAMPLE):
                        yield piece
                case Excerpt():
                    yield await self._excerpt(recording.recording_id, part)

    async def _excerpt(self, recording_id: str, part: Excerpt) -> bytes:
        segment = part.segment
        content = await self._spool.get(segment_key(recording_id, segment.track, segment.first_sample))
        if hashlib.sha256(content).hexdigest() != segment.sha256:
            _log.error("segment damaged", extra={"recording_id": recording_id, "first_sample": segment.first_sample})
            raise VivavoceError("A part of the recording is damaged on disk; restore it from a backup.")
        start = part.skip * BYTES_PER_SAMPLE
        return content[start : start + part.samples * BYTES_PER_SAMPLE]

    async def _of_archive(
        self, known: KeptRecording, track: Track, from_sample: int, to_sample: int
    ) -> AsyncGenerator[bytes, None]:
        recording = known.recording
        until = checked(from_sample, to_sample, known.kept[track].samples)
        yield wav_header(recording.rates_hz[track], until - from_sample)
        file = await self._lasting.find(recording.recording_id, f"{track.value}.flac")
        if file is None or from_sample == until:
            return
        place = await self._lasting.whole(recording.recording_id, file)
        for first in range(from_sample, until, recording.rates_hz[track]):
            count = min(recording.rates_hz[track], until - first)
            yield await self._threads.run(_read, place, first, count)


def _read(flac: Path, first: int, count: int) -> bytes:
    with soundfile.SoundFile(flac) as file:
        file.seek(first)
        content: bytes = file.read(count, dtype="int16").astype("<i2").tobytes()
        return content


def _silence(size: int) -> Iterator[bytes]:
    piece = bytes(PIECE_BYTES)
    for _ in range(size // PIECE_BYTES):
        yield piece
    if rest := size % PIECE_BYTES:
        yield piece[:rest]
