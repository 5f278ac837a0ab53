"""Reads a stretch of a track back as a WAV file in pieces."""

import hashlib
import logging
from collections.abc import AsyncGenerator, Iterator
from typing import Final

from mesh.errors import VivavoceError
from services.media.domain.recordings import (
    Blobs,
    Excerpt,
    Recording,
    Recordings,
    Silence,
    segment_key,
    stretch,
    wav_header,
)
from services.media.domain.tracks import BYTES_PER_SAMPLE, Track

PIECE_BYTES: Final = 64 * 1024

_log: Final = logging.getLogger(__name__)


async def wav(
    blobs: Blobs, recordings: Recordings, recording: Recording, track: Track, from_sample: int, to_sample: int
) -> AsyncGenerator[bytes, None]:
    """The file's header, then its sound in pieces of at most 64 KiB; gaps are silence. 0 as `to_sample` is the end.

    Raises:
        InvalidFieldError: the range is upside down or lies after the end; before any piece.
        VivavoceError: a segment is damaged.
    """
    segments = await recordings.segments(recording.recording_id, track)
    samples, parts = stretch(segments, from_sample, to_sample)
    yield wav_header(recording.rates_hz[track], samples)
    for part in parts:
        match part:
            case Silence():
                for piece in _silence(part.samples * BYTES_PER_SAMPLE):
                    yield piece
            case Excerpt():
                for piece in _pieces(await _excerpt(blobs, recording.recording_id, part)):
                    yield piece


async def _excerpt(blobs: Blobs, recording_id: str, part: Excerpt) -> bytes:
    segment = part.segment
    content = await blobs.get(segment_key(recording_id, segment.track, segment.first_sample))
    if hashlib.sha256(content).hexdigest() != segment.sha256:
        _log.error("segment damaged", extra={"recording_id": recording_id, "first_sample": segment.first_sample})
        raise VivavoceError("A part of the recording is damaged on disk; restore it from a backup.")
    start = part.skip * BYTES_PER_SAMPLE
    return content[start : start + part.samples * BYTES_PER_SAMPLE]


def _pieces(content: bytes) -> Iterator[bytes]:
    for start in range(0, len(content), PIECE_BYTES):
        yield content[start : start + PIECE_BYTES]


def _silence(size: int) -> Iterator[bytes]:
    piece = bytes(PIECE_BYTES)
    for _ in range(size // PIECE_BYTES):
        yield piece
    if rest := size % PIECE_BYTES:
        yield piece[:rest]
