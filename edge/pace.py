"""Bounds how many messages a socket may bring, whatever is in them: joined on their way, the mesh would not notice."""

from typing import Final

from mesh.clock import Clock
from mesh.errors import RateLimitedError

#: So many seconds' worth may come at once, after a network that stood still.
_BURST_S: Final = 2.5


class Pace:
    """A bucket that holds some seconds' worth of messages, and fills again at the pace they may come in."""

    def __init__(self, per_s: float, clock: Clock) -> None:
        self._per_s = per_s
        self._clock = clock
        self._left = per_s * _BURST_S
        self._counted_at = clock.now()

    def count(self) -> None:
        """Counts one message.

        Raises:
            RateLimitedError: there were too many.
        """
        now = self._clock.now()
        self._left = min(self._per_s * _BURST_S, self._left + (now - self._counted_at) * self._per_s)
        self._counted_at = now
        if self._left < 1:
            raise RateLimitedError("Too many messages; send sound in frames of 20 ms, and the rest less often.")
        self._left -= 1
