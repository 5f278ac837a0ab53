"""A jitter buffer: takes replies as the network brings them, gives a loudspeaker what it asks for, and counts it."""

import threading
from typing import Final

_BYTES_A_SAMPLE: Final = 2
#: Sound that is waited for before a reply begins, or goes on after it ran dry; so much more after each time it did.
_SHORTEST_S, _MORE_S, _LONGEST_S = 0.04, 0.04, 0.4


class JitterBuffer:
    """Plays one reply at a time. Methods may be called from any thread, `pull` by that of a sound card."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._guard = threading.Lock()
        self._reply_id = ""
        self._pcm = bytearray()
        self._taken = 0
        self._playing = False
        self._complete = False
        #: Whether sound has to gather before it plays on.
        self._gathering = True
        self._wait_s = _SHORTEST_S

    def play(self, reply_id: str, first_sample: int, pcm: bytes) -> None:
        """Queues more of a reply from a position on; another reply than before replaces what is queued."""
        with self._guard:
            if reply_id != self._reply_id:
                self._reply_id, self._pcm, self._taken = reply_id, bytearray(), 0
                self._playing, self._complete, self._gathering = True, False, True
            place = first_sample * _BYTES_A_SAMPLE
            # What was lost on the way is silence.
            self._pcm += bytes(max(0, place - len(self._pcm)))
            self._pcm[place : place + len(pcm)] = pcm

    def end(self, reply_id: str) -> None:
        """All of a reply has come."""
        with self._guard:
            self._complete = self._complete or reply_id == self._reply_id

    def pause(self) -> None:
        """Stops at once and keeps what is queued."""
        with self._guard:
            self._playing = False

    def resume(self, from_sample: int) -> None:
        """Plays on from a sample of the current reply."""
        with self._guard:
            self._taken = min(from_sample * _BYTES_A_SAMPLE, len(self._pcm))
            self._playing = True

    def drop(self) -> None:
        """Stops and drops what is queued."""
        with self._guard:
            self._reply_id, self._pcm, self._taken, self._playing = "", bytearray(), 0, False

    def played(self) -> tuple[str, int]:
        """The current reply and the samples of it that were given out; an empty id where there is none."""
        with self._guard:
            return self._reply_id, self._taken // _BYTES_A_SAMPLE

    def pull(self, samples: int) -> bytes:
        """The next samples for the loudspeaker; silence where there is nothing to play, or not enough yet."""
        wanted = samples * _BYTES_A_SAMPLE
        with self._guard:
            pcm = bytes(self._pcm[self._taken : self._taken + wanted]) if self._ready() else b""
            self._taken += len(pcm)
            if pcm and len(pcm) < wanted and not self._complete:
                # It ran dry in the middle: the network is less even than it was taken for.
                self._gathering = True
                self._wait_s = min(_LONGEST_S, self._wait_s + _MORE_S)
        return pcm.ljust(wanted, b"\0")

    def _ready(self) -> bool:
        if not self._playing:
            return False
        queued_s = (len(self._pcm) - self._taken) / (_BYTES_A_SAMPLE * self._rate_hz)
        if self._gathering and (self._complete or queued_s >= self._wait_s):
            self._gathering = False
        return not self._gathering
