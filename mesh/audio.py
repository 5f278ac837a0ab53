"""Measures and resamples PCM: signed 16-bit little-endian samples, one channel."""

from typing import Final, Literal

import numpy as np
import soxr
from numpy.typing import NDArray

from mesh.errors import BadAudioError

BYTES_PER_SAMPLE: Final = 2
#: What recognition and voice activity work on.
HEARING_HZ: Final = 16_000
#: What the tutor's voice is made and sent in.
SPEECH_HZ: Final = 24_000
#: A sample at most this far from zero is silent: -48 dB of full scale, above the noise floor of synthesised speech.
SILENCE: Final = 130

Quality = Literal["QQ", "LQ", "MQ", "HQ"]


def samples(pcm: bytes) -> int:
    """Number of whole samples."""
    return len(pcm) // BYTES_PER_SAMPLE


def duration_s(pcm: bytes, rate_hz: int) -> float:
    """How long it sounds."""
    return samples(pcm) / rate_hz


def check_pcm(pcm: bytes, field: str) -> None:
    """Sees to it that `pcm` holds whole samples.

    Raises:
        BadAudioError: the byte count is odd; `field` is the path of the field it came in.
    """
    if len(pcm) % BYTES_PER_SAMPLE:
        raise BadAudioError(
            f"{field} has an odd number of bytes; send whole 16-bit samples.",
            field=field,
            metadata={"bytes": str(len(pcm))},
        )


def is_silent(pcm: bytes, threshold: int = SILENCE) -> bool:
    """Whether no sample is further from zero than `threshold`. True for no samples."""
    return first_audible(pcm, threshold) is None


def first_audible(pcm: bytes, threshold: int = SILENCE) -> int | None:
    """Index of the first sample further from zero than `threshold`, or None."""
    # As 32 bits, for the absolute value of -32768 does not fit in 16.
    loud = np.abs(_array(pcm).astype(np.int32)) > threshold
    index = int(loud.argmax()) if loud.size else 0
    return index if loud.size and loud[index] else None


class StreamResampler:
    """Resamples a stream piece by piece. Use one per stream.

    `feed` gives what is ready and holds back the filter's delay; `flush` gives the rest and makes the object ready for
    the next stream. Over a whole stream of n samples exactly round(n · to_hz / from_hz) come out, give or take one,
    and sample k out is the sound of sample k · from_hz / to_hz in: positions map by the ratio alone.

    Held back at 48 kHz → 16 kHz, measured: LQ 14 ms, MQ 23 ms, HQ 37 ms; QQ less than 0.3 ms, but it aliases, so it
    serves only upwards. Same rate: nothing is held back and bytes pass through.
    """

    def __init__(self, from_hz: int, to_hz: int, quality: Quality = "LQ") -> None:
        self._same = from_hz == to_hz
        self._rates = (from_hz, to_hz)
        self._quality = quality
        self._stream = self._fresh()

    def feed(self, pcm: bytes) -> bytes:
        """Takes whole samples in, gives those that are ready; often fewer than the ratio says, at times none."""
        return pcm if self._same else _bytes(self._stream.resample_chunk(_array(pcm)))

    def flush(self) -> bytes:
        """Ends the stream and gives what was held back."""
        if self._same:
            return b""
        rest = _bytes(self._stream.resample_chunk(np.zeros(0, np.int16), last=True))
        self._stream = self._fresh()
        return rest

    def _fresh(self) -> soxr.ResampleStream:
        return soxr.ResampleStream(*self._rates, 1, dtype="int16", quality=self._quality)


def _array(pcm: bytes) -> NDArray[np.int16]:
    return np.frombuffer(pcm, dtype="<i2")


def _bytes(array: NDArray[np.int16]) -> bytes:
    return array.astype("<i2", copy=False).tobytes()
