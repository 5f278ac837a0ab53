"""Gives every synthesizer one way to speak a whole reply, over one connection where it can."""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager

from services.ai_engine.domain.roles import Speaking, SpeechChunk, StreamingSynthesizer, Synthesizer


class SpeaksReplies(ABC):
    """A synthesizer that has only to speak replies (StreamingSynthesizer): one clause is a reply of one."""

    @abstractmethod
    def speak(self, *, voice: str = "", rate: float = 1.0) -> AbstractAsyncContextManager[Speaking]:
        """Connects for one reply."""

    async def synthesize(self, text: str, *, voice: str = "", rate: float = 1.0) -> AsyncGenerator[SpeechChunk, None]:
        """Speaks `text` over a connection of its own. Raises InvalidFieldError and ProviderError."""
        async with self.speak(voice=voice, rate=rate) as spoken:
            chunks = spoken.say(text)
            async with aclosing(chunks):  # type: ignore[type-var]  # A generator, as all of ours.
                async for chunk in chunks:
                    yield chunk


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
