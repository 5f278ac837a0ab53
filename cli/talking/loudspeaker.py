"""A loudspeaker that plays in real time into nothing and knows how far it is."""

from collections.abc import Callable
from typing import Protocol

from mesh.audio import samples


class Loudspeaker(Protocol):
    """Plays one reply at a time."""

    def play(self, reply_id: str, first_sample: int, pcm: bytes) -> None:
        """Queues more of a reply from a position on; another reply than before replaces what is queued."""
        ...

    def pause(self) -> None:
        """Stops at once and keeps what is queued."""
        ...

    def resume(self, from_sample: int) -> None:
        """Plays on from a sample of the current reply."""
        ...

    def drop(self) -> None:
        """Stops and drops what is queued."""
        ...

    def played(self) -> tuple[str, int]:
        """The current reply and the samples of it that were played; an empty id where there is none."""
        ...


class SimulatedLoudspeaker:
    """Plays at the pace of real sound, without a device."""

    def __init__(self, rate_hz: int, now: Callable[[], float]) -> None:
        self._rate_hz = rate_hz
        self._now = now
        self._reply_id = ""
        self._received = 0
        self._position = 0.0
        self._as_of = 0.0
        self._playing = False

    def play(self, reply_id: str, first_sample: int, pcm: bytes) -> None:
        """Queues more of a reply."""
        self._advance()
        if reply_id != self._reply_id:
            self._reply_id, self._received, self._position, self._playing = reply_id, 0, 0.0, True
        self._received = max(self._received, first_sample + samples(pcm))

    def pause(self) -> None:
        """Stops at once."""
        self._advance()
        self._playing = False

    def resume(self, from_sample: int) -> None:
        """Plays on."""
        self._advance()
        self._position = float(min(from_sample, self._received))
        self._playing = True

    def drop(self) -> None:
        """Stops for good."""
        self._reply_id, self._playing = "", False

    def played(self) -> tuple[str, int]:
        """How far it is."""
        self._advance()
        return self._reply_id, int(self._position)

    @property
    def sounds(self) -> bool:
        """Whether anything is heard."""
        self._advance()
        return self._playing and self._position < self._received

    def _advance(self) -> None:
        now = self._now()
        if self._playing:
            # Where nothing is queued time passes in silence.
            self._position = min(float(self._received), self._position + (now - self._as_of) * self._rate_hz)
        self._as_of = now
