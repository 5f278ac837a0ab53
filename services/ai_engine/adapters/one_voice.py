"""Gives every synthesizer one way to speak a whole reply, over one connection where it can."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.ai_engine.domain.roles import Speaking, SpeechChunk, StreamingSynthesizer, Synthesizer


class ClauseByClause:
    """Asks anew for each clause (Speaking)."""

    def __init__(self, synthesizer: Synthesizer, voice: str, rate: float) -> None:
        self._synthesizer = synthesizer
        self._voice = voice
        self._rate = rate

    def say(self, clause: str) -> AsyncIterator[SpeechChunk]:
        """Speaks the next clause."""
        return self._synthesizer.synthesize(clause, voice=self._voice, rate=self._rate)


@asynccontextmanager
async def speaking(synthesizer: Synthesizer, *, voice: str = "", rate: float = 1.0) -> AsyncIterator[Speaking]:
    """The voice of one reply. Raises what the synthesizer raises when it connects."""
    if isinstance(synthesizer, StreamingSynthesizer):
        async with synthesizer.speak(voice=voice, rate=rate) as connected:
            yield connected
    else:
        yield ClauseByClause(synthesizer, voice, rate)
