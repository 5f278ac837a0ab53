"""A track while it is recorded: sound by position, cut into segments of a few seconds."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from mesh.errors import BadAudioError

BYTES_PER_SAMPLE: Final = 2
#: The most one message may bring: a second at 48 kHz, and so several at lower rates.
_LONGEST_APPEND_BYTES: Final = 96_000
#: Sound is taken in by steps of this length, so that no segment becomes longer by more.
_STEP_S: Final = 1


class Track(Enum):
    """Whose sound."""

    LEARNER = "learner"
    TUTOR = "tutor"


@dataclass(frozen=True, slots=True)
class Piece:
    """Sound without a gap, to be kept as one segment."""

    first_sample: int
    pcm: bytes

    @property
    def samples(self) -> int:
        """Number of samples."""
        return len(self.pcm) // BYTES_PER_SAMPLE

    @property
    def end_sample(self) -> int:
        """The sample after the last."""
        return self.first_sample + self.samples


class OpenTrack:
    """What of a track is not kept yet: at most a segment and one message more.

    `kept_samples` is what was kept before this stream began: the same sound, sent again, is passed over.
    """

    def __init__(self, *, rate_hz: int, kept_samples: int, segment_s: float, longest_s: int) -> None:
        self._rate_hz = rate_hz
        self._kept = kept_samples
        self._segment_samples = int(segment_s * rate_hz)
        self._longest_samples = longest_s * rate_hz
        self._next = 0
        self._first = 0
        self._sound = bytearray()
        self._began_at = 0.0

    def append(self, first_sample: int, pcm: bytes, now: float) -> list[Piece]:
        """Takes sound in; returns the pieces that are ready to be kept.

        Raises:
            BadAudioError: half a sample, too much at once, a position that goes back, or one beyond the longest
                recording.
        """
        first_sample, pcm = self._unkept(*self._checked(first_sample, pcm))
        step = self._rate_hz * _STEP_S * BYTES_PER_SAMPLE
        return [
            piece
            for start in range(0, len(pcm), step)
            for piece in self._add(first_sample + start // BYTES_PER_SAMPLE, pcm[start : start + step], now)
        ]

    def cut(self) -> list[Piece]:
        """Returns what is not kept yet, as one piece or none, and begins anew after it."""
        if not self._sound:
            return []
        piece = Piece(self._first, bytes(self._sound))
        self._sound.clear()
        return [piece]

    def waits_since(self) -> float | None:
        """When the oldest sound that is not kept came in; None where there is none."""
        return self._began_at if self._sound else None

    def _add(self, first_sample: int, pcm: bytes, now: float) -> list[Piece]:
        ready = [] if self._fits(first_sample, pcm) else self.cut()
        if not self._sound:
            self._first, self._began_at = first_sample, now
        gap = first_sample - self._first - len(self._sound) // BYTES_PER_SAMPLE
        self._sound += bytes(gap * BYTES_PER_SAMPLE) + pcm
        if len(self._sound) >= self._segment_samples * BYTES_PER_SAMPLE:
            ready += self.cut()
        return ready

    def _checked(self, first_sample: int, pcm: bytes) -> tuple[int, bytes]:
        samples, odd = divmod(len(pcm), BYTES_PER_SAMPLE)
        if odd:
            raise BadAudioError("pcm has an odd number of bytes; send whole 16-bit samples.", field="append_track.pcm")
        if len(pcm) > _LONGEST_APPEND_BYTES:
            raise BadAudioError(
                f"pcm has more than {_LONGEST_APPEND_BYTES} bytes; send it in smaller pieces.", field="append_track.pcm"
            )
        if first_sample < self._next:
            raise BadAudioError(
                f"The track goes back to sample {first_sample}; go on from {self._next}.",
                field="append_track.first_sample",
                metadata={"next_sample": str(self._next)},
            )
        if first_sample + samples > self._longest_samples:
            raise BadAudioError(
                f"A recording holds {self._longest_samples} samples at most; begin another one.",
                field="append_track.first_sample",
            )
        self._next = first_sample + samples
        return first_sample, pcm

    def _unkept(self, first_sample: int, pcm: bytes) -> tuple[int, bytes]:
        known = max(0, self._kept - first_sample)
        return first_sample + known, pcm[known * BYTES_PER_SAMPLE :]

    def _fits(self, first_sample: int, pcm: bytes) -> bool:
        """Whether what lies between is short enough to be kept as silence; a long one stays a gap between segments."""
        if not self._sound:
            return True
        span = first_sample - self._first + len(pcm) // BYTES_PER_SAMPLE
        return span <= self._segment_samples + self._rate_hz * _STEP_S
