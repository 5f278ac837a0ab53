"""Remembers from when to when a stretch of sound is loud, without keeping it."""

import numpy as np

from mesh.audio import first_audible, samples
from services.ai_engine.adapters.word_times import estimate
from services.ai_engine.domain.roles import HEARING_RATE_HZ, Word


class Loudness:
    """Of one stretch at the hearing rate, for providers that don't tell when words sound."""

    def __init__(self) -> None:
        self.fed = 0
        self._first: int | None = None
        self._last = 0

    def feed(self, pcm: bytes) -> None:
        """Takes the next sound."""
        first = first_audible(pcm)
        if first is not None:
            backwards = np.frombuffer(pcm, "<i2")[::-1].tobytes()
            self._first = self.fed + first if self._first is None else self._first
            self._last = self.fed + samples(pcm) - (first_audible(backwards) or 0)
        self.fed += samples(pcm)

    def words(self, text: str) -> tuple[Word, ...]:
        """The words of the text, divided over what was loud since this was last asked."""
        begin_s, end_s = (self._first or 0) / HEARING_RATE_HZ, self._last / HEARING_RATE_HZ
        self._first = None
        return tuple(Word(span.text, span.start_s, span.end_s) for span in estimate(text, begin_s, end_s))
