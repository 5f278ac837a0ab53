"""Holds sound back that comes faster than Converse takes it: clients of the dialect may send a file at once."""

from typing import Final

from mesh.audio import samples
from mesh.clock import Clock

#: Converse takes twice real time, and 5 s at once; a little less, so that no clock can disagree.
_TIMES_REAL: Final = 1.8
_AT_ONCE_S: Final = 4.0


class SoundPace:
    """A bucket of seconds of sound."""

    def __init__(self, rate_hz: int, clock: Clock) -> None:
        self._rate_hz = rate_hz
        self._clock = clock
        self._left_s = _AT_ONCE_S
        self._counted_at = clock.now()

    async def wait(self, pcm: bytes) -> None:
        """Returns when `pcm` may be sent. Its client is held back meanwhile, for nothing more of it is read."""
        now = self._clock.now()
        self._left_s = min(_AT_ONCE_S, self._left_s + (now - self._counted_at) * _TIMES_REAL)
        self._counted_at = now
        self._left_s -= samples(pcm) / self._rate_hz
        if self._left_s < 0:
            await self._clock.sleep(-self._left_s / _TIMES_REAL)
