"""The last minute of what a session heard, so that any stretch of it can be recognised."""

from typing import Final

from services.ai_engine.domain.roles import HEARING_RATE_HZ

_SAMPLE_BYTES: Final = 2


class HeardSound:
    """A bounded memory of PCM at the hearing rate; full, it forgets the oldest."""

    def __init__(self, length_s: float) -> None:
        self._most_bytes = int(length_s * HEARING_RATE_HZ) * _SAMPLE_BYTES
        self._pcm = bytearray()
        self._end = 0

    @property
    def end(self) -> int:
        """The sample after the last, counted from the start of the session."""
        return self._end

    @property
    def first(self) -> int:
        """The oldest sample still known."""
        return self._end - len(self._pcm) // _SAMPLE_BYTES

    def append(self, pcm: bytes) -> None:
        """Adds what was heard next."""
        self._pcm += pcm
        self._end += len(pcm) // _SAMPLE_BYTES
        if (excess := len(self._pcm) - self._most_bytes) > 0:
            del self._pcm[:excess]

    def stretch(self, begin: int, end: int) -> tuple[bytes, int]:
        """What is known of the samples from `begin` up to `end`, and the sample it really starts at."""
        start = max(begin, self.first)
        stop = max(start, min(end, self._end))
        offset = start - self.first
        return bytes(self._pcm[offset * _SAMPLE_BYTES : (stop - self.first) * _SAMPLE_BYTES]), start
