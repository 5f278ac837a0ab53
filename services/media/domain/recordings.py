"""Recordings as they are kept: a manifest of segments, between which there is silence."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from mesh.errors import InvalidFieldError
from services.media.domain.tracks import BYTES_PER_SAMPLE, Track

_RIFF_BYTES: Final = 36


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording of one session."""

    recording_id: str
    user_id: str
    conversation_id: str
    session_id: str
    rates_hz: Mapping[Track, int]
    begin_time_us: int
    finished: bool = False


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a track that is kept, and the sum that shows it is whole."""

    track: Track
    first_sample: int
    samples: int
    sha256: str

    @property
    def end_sample(self) -> int:
        """The sample after the last."""
        return self.first_sample + self.samples


@dataclass(frozen=True, slots=True)
class Kept:
    """How much of a track is kept: every sample before this one, in so many bytes."""

    samples: int = 0
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class KeptRecording:
    """A recording and how much of each track is kept."""

    recording: Recording
    kept: Mapping[Track, Kept]


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


class Recordings(Protocol):
    """Keeps the manifests. Each call is one transaction, on disk when it returns."""

    async def start(self, recording: Recording) -> KeptRecording:
        """Adds a recording, or returns the one that was started before by the same id.

        Raises:
            AlreadyExistsError: the id is another recording's.
            NotFoundError: the learner was forgotten.
        """
        ...

    async def keep(self, recording_id: str, segment: Segment, now_us: int) -> None:
        """Adds a segment.

        Raises:
            NotFoundError: the recording was deleted or is finished.
        """
        ...

    async def finish(self, recording_id: str) -> KeptRecording | None:
        """Marks it as finished; None where it was deleted."""
        ...

    async def find(self, user_id: str, recording_id: str) -> KeptRecording | None:
        """The recording of that person."""
        ...

    async def page(
        self, user_id: str, conversation_id: str, after: tuple[int, str] | None, limit: int
    ) -> list[KeptRecording]:
        """Those of that person, and of that conversation where one is given, latest first."""
        ...

    async def segments(self, recording_id: str, track: Track) -> list[Segment]:
        """The segments of a track, in order."""
        ...

    async def forsaken(self, before_us: int) -> list[str]:
        """Recordings that are not finished and that nothing was added to since."""
        ...

    async def delete(self, recording_id: str) -> None:
        """Removes its rows."""
        ...

    async def forget(self, user_id: str, request_id: str, now_us: int) -> int:
        """Notes that nothing of that person is to be kept; how many recordings there were at the first such request.

        Raises:
            ConflictError: another call does the same.
        """
        ...

    async def of_forgotten(self) -> list[str]:
        """Recordings that are still there of people who were forgotten."""
        ...


class Blobs(Protocol):
    """Keeps bytes by key: words of a-z, 0-9 and _, separated by slashes. Raises UnavailableError where it can't."""

    async def put(self, key: str, content: bytes) -> str:
        """Keeps `content`; it survives a crash once this returns its SHA-256 in hexadecimal. Replaces what was there.

        Raises:
            OverloadedError: too much waits for the disk.
        """
        ...

    async def get(self, key: str) -> bytes:
        """What is kept there."""
        ...

    async def keys(self, prefix: str) -> list[str]:
        """The keys below a prefix."""
        ...

    async def tidy(self, prefix: str) -> None:
        """Removes what a crash left half written below a prefix that nobody writes to."""
        ...

    async def delete(self, key: str) -> None:
        """Removes one; nothing where there is none."""
        ...

    async def delete_all(self, prefix: str) -> None:
        """Removes all below a prefix."""
        ...


def segment_key(recording_id: str, track: Track, first_sample: int) -> str:
    """Where a segment is kept: the same sound, sent again, lands in the same place."""
    return f"{recording_id}/{track.value}/{first_sample:012d}"


def stretch(segments: Sequence[Segment], from_sample: int, to_sample: int) -> tuple[int, Iterator[Excerpt | Silence]]:
    """The samples from one up to another, 0 meaning the end: how many, and what they are made of.

    Raises:
        InvalidFieldError: the range is upside down or begins after the end.
    """
    end = segments[-1].end_sample if segments else 0
    until = min(to_sample or end, end)
    if from_sample > end:
        raise InvalidFieldError(
            f"from_sample lies after the track's end; it has {end} samples.",
            field="from_sample",
            metadata={"samples": str(end)},
        )
    if to_sample and to_sample < from_sample:
        raise InvalidFieldError("to_sample lies before from_sample; exchange them.", field="to_sample")
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
