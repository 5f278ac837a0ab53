"""The microphone of a scripted learner: speech, the room's noise and the tutor's echo in frames of 20 ms."""

import random
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mesh.audio import BYTES_PER_SAMPLE, HEARING_HZ

FRAME_S: Final = 0.02
FRAME: Final = round(FRAME_S * HEARING_HZ)
#: The loudness of the local voice, as root mean square; noise is measured against it.
_SPEECH_RMS: Final = 2_500.0
#: An echo is so much quieter than the loudspeaker.
_ECHO: Final = 0.4


class Mouth:
    """Gives frame after frame; what is spoken comes next, and silence when all is said."""

    def __init__(self, echo: Callable[[], NDArray[np.float32]]) -> None:
        """`echo` gives what the loudspeaker plays in this frame."""
        self._echo = echo
        self._pending = bytearray()
        self._noise = np.random.default_rng(5)
        self._chance = random.Random(5)
        self.noise_db: float | None = None
        self.lost_share = 0.0
        #: Frames for which the tutor is still heard through the microphone.
        self.echo_frames = 0

    def speak(self, pcm: bytes) -> None:
        """Says something from the next frame on."""
        self._pending += pcm

    @property
    def silent(self) -> bool:
        """Whether all is said."""
        return not self._pending

    def frame(self) -> bytes:
        """The next frame."""
        length = FRAME * BYTES_PER_SAMPLE
        spoken = bytes(self._pending[:length]).ljust(length, b"\0")
        del self._pending[:length]
        if self._chance.random() < self.lost_share:
            return bytes(length)
        if self.noise_db is None and not self.echo_frames:
            return spoken
        sound = np.frombuffer(spoken, dtype="<i2").astype(np.float32)
        if self.noise_db is not None:
            sound += self._noise.normal(0, _SPEECH_RMS * 10 ** (-self.noise_db / 20), FRAME)
        if self.echo_frames:
            self.echo_frames -= 1
            sound += _ECHO * self._echo()
        return np.clip(sound, -32768, 32767).astype("<i2").tobytes()
