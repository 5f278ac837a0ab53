"""The picture of sound: its lowest and highest sample in each fiftieth of a second."""

from typing import Final

import numpy as np

from services.media.sound.writing import Samples

PEAKS_PER_S: Final = 50
_SCALE: Final = 256


class Peaks:
    """Gathers peaks of 16-bit samples, as pairs of signed bytes: the lowest, the highest."""

    def __init__(self, rate_hz: int) -> None:
        self._step = rate_hz // PEAKS_PER_S
        self._rest: Samples = np.zeros(0, np.int16)
        self._pairs = bytearray()

    def add(self, samples: Samples) -> None:
        """Takes what follows."""
        waiting = np.concatenate((self._rest, samples))
        whole = len(waiting) - len(waiting) % self._step
        self._gather(waiting[:whole].reshape(-1, self._step))
        self._rest = waiting[whole:]

    def content(self) -> bytes:
        """All pairs, of the last piece too."""
        if self._rest.size:
            self._gather(self._rest.reshape(1, -1))
            self._rest = self._rest[:0]
        return bytes(self._pairs)

    def _gather(self, rows: Samples) -> None:
        if rows.size:
            pairs = np.stack((rows.min(axis=1), rows.max(axis=1)), axis=1) // _SCALE
            self._pairs += pairs.astype(np.int8).tobytes()
