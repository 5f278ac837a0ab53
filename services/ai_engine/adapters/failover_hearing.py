"""A recogniser that is several: another is asked where one fails."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from mesh.errors import ProviderError
from services.ai_engine.adapters.chain import Attempt, Chain, exhausted
from services.ai_engine.domain.roles import Hearing, Recognizer, StreamingRecognizer, Transcript


class FailoverRecognizer:
    """A Recognizer over a chain of them. No words is an answer, not a failure: people are silent."""

    def __init__(self, chain: Chain[Recognizer]) -> None:
        self._chain = chain
        self.name = chain.links[0].name
        self.capabilities = chain.first.capabilities

    async def recognize(self, pcm: bytes, *, language: str) -> Transcript:
        """Transcribes. Raises the last one's error when nobody could."""
        failure: Exception | None = None
        for attempt in self._chain.attempts():
            try:
                with attempt.watched():
                    async with asyncio.timeout(attempt.wait_s()):
                        transcript = await attempt.provider.recognize(pcm, language=language)
                    attempt.answers()
                    return transcript
            except Exception as error:  # Whatever a provider does, somebody else may do it.
                failure = error
        raise exhausted("recogniser", failure)


class StreamingFailoverRecognizer(FailoverRecognizer):
    """One whose first listens along. Where that fails, `recognize` is asked for the same sound, of all of them."""

    def __init__(self, chain: Chain[Recognizer], first: StreamingRecognizer) -> None:
        super().__init__(chain)
        self._first = first

    @asynccontextmanager
    async def hear(self, *, language: str) -> AsyncIterator[Hearing]:
        """Connects the first for one stretch of speech. Raises ProviderError while it is left alone."""
        if not self._chain.links[0].health.admits():
            raise ProviderError("The recogniser failed before and is left alone for a while.")
        attempt = self._chain.attempt()
        with attempt.watched():
            async with self._first.hear(language=language) as hearing:
                yield _WatchedHearing(hearing, attempt)


class _WatchedHearing:
    """Notes how long the first text takes once it is wanted (Hearing)."""

    def __init__(self, hearing: Hearing, attempt: Attempt[Recognizer]) -> None:
        self._hearing = hearing
        self._attempt = attempt

    async def feed(self, pcm: bytes) -> None:
        """Takes the next sound."""
        await self._hearing.feed(pcm)

    async def transcript(self) -> Transcript:
        """The text of what was fed since the last one."""
        self._attempt.begins()
        transcript = await self._hearing.transcript()
        self._attempt.answers()
        return transcript


def failover_recognizer(chain: Chain[Recognizer]) -> Recognizer:
    """The chain as one recogniser, which listens along where its first does."""
    if isinstance(chain.first, StreamingRecognizer):
        return StreamingFailoverRecognizer(chain, chain.first)
    return FailoverRecognizer(chain)
