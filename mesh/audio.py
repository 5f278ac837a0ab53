"""Measures PCM: signed 16-bit little-endian samples, one channel."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mesh.errors import BadAudioError
from mesh.resampling import StreamResampler

__all__ = [
    "BYTES_PER_SAMPLE",
    "HEARING_HZ",
    "SILENCE",
    "SPEECH_HZ",
    "StreamResampler",
    "check_pcm",
    "duration_s",
    "first_audible",
    "is_silent",
    "samples",
]

BYTES_PER_SAMPLE: Final = 2
#: What recognition and voice activity work on.
HEARING_HZ: Final = 16_000
#: What the tutor's voice is made and sent in.
SPEECH_HZ: Final = 24_000
#: A sample at most this far from zero is silent: -48 dB of full scale, above the noise floor of synthesised speech.
SILENCE: Final = 130


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


def _array(pcm: bytes) -> NDArray[np.int16]:
    return np.frombuffer(pcm, dtype="<i2")
