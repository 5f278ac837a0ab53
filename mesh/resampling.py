"""Resamples a stream of PCM piece by piece, by soxr."""

from typing import Final

import numpy as np
import soxr

from mesh.errors import InvalidFieldError

#: What soxr calls high quality: flat where speech is, aliases below what 16 bits can hold.
_QUALITY: Final = "HQ"


class StreamResampler:
    """Resamples a stream of 16-bit samples. Use one per stream.

    `feed` gives what is ready; `flush` gives the rest and makes the object ready for the next stream. Over a whole
    stream of n samples exactly ceil(n · to_hz / from_hz) come out, and sample k out is the sound at k · from_hz / to_hz
    in: positions map by the ratio alone. Held back meanwhile: about 10 ms towards 16 kHz, but 70 ms from 8 kHz, and
    30 ms from 24 to 48 kHz. At the same rate bytes pass through.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        if min(from_hz, to_hz) <= 0:
            raise InvalidFieldError("A sample rate must be above zero.", field="sample_rate_hz")
        self._from_hz, self._to_hz = from_hz, to_hz
        self._begin()

    def feed(self, pcm: bytes) -> bytes:
        """Takes whole samples in, gives those that are ready; at the very start fewer than the ratio says."""
        return pcm if self._from_hz == self._to_hz else self._resample(pcm, last=False)

    def flush(self) -> bytes:
        """Ends the stream and gives what was held back."""
        if not self._fed:
            return b""
        wanted = -(-self._fed * self._to_hz // self._from_hz) - self._given
        # soxr rounds the length of a stream its own way, by a sample.
        rest = self._resample(b"", last=True)[: wanted * 2].ljust(wanted * 2, b"\0")
        self._begin()
        return rest

    def _begin(self) -> None:
        self._fed = self._given = 0
        # In floating point: with integers soxr adds dither, so that silence is no longer silent.
        self._stream = soxr.ResampleStream(self._from_hz, self._to_hz, 1, dtype="float32", quality=_QUALITY)

    def _resample(self, pcm: bytes, *, last: bool) -> bytes:
        fed = np.frombuffer(pcm, dtype="<i2")
        out = self._stream.resample_chunk(fed.astype(np.float32), last=last)
        self._fed += fed.size
        self._given += out.size
        return bytes(np.clip(np.rint(out), -32768, 32767).astype("<i2"))
