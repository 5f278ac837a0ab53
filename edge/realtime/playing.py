"""How much of a reply its client has played, as far as one can know: stock clients do not report it."""

from mesh.audio import BYTES_PER_SAMPLE, samples

#: While it plays, so much less is claimed as heard than the clock says: sound travels and waits in buffers.
_UNSURE_S = 0.3
#: What a client that stopped playing may be sent again, in seconds.
_KEPT_S = 6.0


class Playing:
    """One reply at the loudspeaker of a client that plays what comes, at once and without a pause."""

    def __init__(self, rate_hz: int, first_sample: int) -> None:
        self._rate_hz = rate_hz
        self._position = float(first_sample)
        self._kept = bytearray()
        self._at: float | None = None
        self.sent = first_sample
        #: What Converse was told last.
        self.told = 0

    def take(self, first_sample: int, pcm: bytes, now: float) -> None:
        """More of it was sent."""
        self._advance(now)
        if first_sample != self.sent:
            # After a cut it is sent again from where it was heard.
            self._kept.clear()
            self._position, self.sent = float(first_sample), first_sample
        self.sent += samples(pcm)
        self._kept += pcm
        del self._kept[: -int(_KEPT_S * self._rate_hz) * BYTES_PER_SAMPLE]
        if self._at is None:
            self._at = now

    def stop(self, now: float) -> None:
        """The client falls silent."""
        self._advance(now)
        self._at = None

    def go_on(self, from_sample: int, now: float) -> bytes:
        """The client plays on; what it has to be sent again for that."""
        missing = max(0, min(self.sent - from_sample, len(self._kept) // BYTES_PER_SAMPLE))
        self._position, self._at = float(self.sent - missing), now
        return bytes(self._kept[len(self._kept) - missing * BYTES_PER_SAMPLE :])

    def position(self, now: float) -> int:
        """Samples that left the loudspeaker, by the clock."""
        self._advance(now)
        return int(self._position)

    def surely(self, now: float, *, complete: bool) -> int:
        """Samples that did so surely enough to say so; all of them at the end of a complete reply."""
        position = self.position(now)
        if complete and position >= self.sent:
            return self.sent
        return max(0, position - int(_UNSURE_S * self._rate_hz))

    def _advance(self, now: float) -> None:
        if self._at is not None:
            self._position = min(float(self.sent), self._position + (now - self._at) * self._rate_hz)
            self._at = now
