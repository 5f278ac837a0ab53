"""A loudspeaker that plays into nothing at the pace of real sound, and takes sound again that was cut off."""

from collections.abc import Callable


class Loudspeaker:
    """Plays one reply at a time."""

    def __init__(self, rate_hz: int, now: Callable[[], float]) -> None:
        self.rate_hz = rate_hz
        self._now = now
        self._reply_id = ""
        self._received = 0
        self._position = 0.0
        self._as_of = 0.0
        self._playing = False

    def play(self, reply_id: str, first_sample: int, samples: int) -> None:
        """Queues sound; another reply than before replaces what is queued, and so does a sample that came before."""
        self._advance()
        if reply_id != self._reply_id:
            self._reply_id, self._position, self._playing = reply_id, 0.0, True
        self._received = first_sample + samples

    def pause(self) -> None:
        """Stops at once, and keeps what is queued."""
        self._advance()
        self._playing = False

    def resume(self, from_sample: int) -> None:
        """Plays on."""
        self._position, self._as_of, self._playing = float(from_sample), self._now(), True

    def drop(self) -> None:
        """Stops for good."""
        self._reply_id, self._playing = "", False

    def played(self) -> tuple[str, int]:
        """The reply and the samples of it that were played; an empty id where there is none."""
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
            queued = max(self._position, float(self._received))
            self._position = min(queued, self._position + (now - self._as_of) * self.rate_hz)
        self._as_of = now
