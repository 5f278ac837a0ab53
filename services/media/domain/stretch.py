"""A stretch of a track made of its segments, between which there is silence; and the header of a WAV file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from mesh.errors import InvalidFieldError
from services.media.domain.recordings import Segment
from services.media.domain.tracks import BYTES_PER_SAMPLE

_RIFF_BYTES: Final = 36


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Samples of a segment: so many after the first `skip`."""

    segment: Segment
    skip: int
    samples: int


@dataclass(frozen=True, slots=True)
class Silence:
    """So many samples of nothing."""

    samples: int


def checked(from_sample: int, to_sample: int, end: int) -> int:
    """The sample after the last wanted, of a track of `end` samples; 0 as `to_sample` means the end.

    Raises:
        InvalidFieldError: the range is upside down or begins after the end.
    """
    if from_sample > end:
        raise InvalidFieldError(
            f"from_sample lies after the track's end; it has {end} samples.",
            field="from_sample",
            metadata={"samples": str(end)},
        )
    if to_sample and to_sample < from_sample:
        raise InvalidFieldError("to_sample lies before from_sample; exchange them.", field="to_sample")
    return min(to_sample or end, end)


def stretch(segments: Sequence[Segment], from_sample: int, to_sample: int) -> tuple[int, Iterator[Excerpt | Silence]]:
    """The samples from one up to another, 0 meaning the end: how many, and what they are made of.

    Raises:
        InvalidFieldError: the range is upside down or begins after the end.
    """
    until = checked(from_sample, to_sample, segments[-1].end_sample if segments else 0)
    return until - from_sample, _parts(segments, from_sample, until)


def _parts(segments: Sequence[Segment], place: int, until: int) -> Iterator[Excerpt | Silence]:
    for segment in segments:
        if segment.end_sample <= place:
            continue
        if place >= until:
            return
        if segment.first_sample > place:
            gap = min(segment.first_sample, until) - place
            yield Silence(gap)
            place += gap
        if place < until:
            wanted = min(segment.end_sample, until) - place
            yield Excerpt(segment, place - segment.first_sample, wanted)
            place += wanted


def wav_header(rate_hz: int, samples: int) -> bytes:
    """The 44 bytes before `samples` 16-bit samples of one channel."""
    size = samples * BYTES_PER_SAMPLE
    return b"".join(
        (
            b"RIFF" + (_RIFF_BYTES + size).to_bytes(4, "little") + b"WAVE",
            b"fmt " + (16).to_bytes(4, "little"),
            (1).to_bytes(2, "little") + (1).to_bytes(2, "little"),  # PCM, one channel.
            rate_hz.to_bytes(4, "little") + (rate_hz * BYTES_PER_SAMPLE).to_bytes(4, "little"),
            BYTES_PER_SAMPLE.to_bytes(2, "little") + (8 * BYTES_PER_SAMPLE).to_bytes(2, "little"),
            b"data" + size.to_bytes(4, "little"),
        )
    )
