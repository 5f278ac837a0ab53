"""A recogniser that is several: another is asked where one fails."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from mesh.errors import ProviderError
from services.ai_engine.adapters.chain import Chain, cause_of, exhausted
from services.ai_engine.domain.roles import Hearing, Recognizer, StreamingRecognizer, Transcript

_log: Final = logging.getLogger(__name__)


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
                async with asyncio.timeout(attempt.first_s):
                    transcript = await attempt.provider.recognize(pcm, language=language)
            except Exception as error:  # Whatever a provider does, somebody else may do it.
                attempt.link.health.failed(error)
                failure = error
                _log.warning("a recogniser failed", extra={"provider": attempt.link.name, "cause": cause_of(error)})
                continue
            attempt.answers()
            attempt.link.health.succeeded()
            return transcript
        raise exhausted("recogniser", failure)


class StreamingFailoverRecognizer(FailoverRecognizer):
    """One whose first listens along. Where that fails, `recognize` is asked for the same sound, of all of them."""

    def __init__(self, chain: Chain[Recognizer], first: StreamingRecognizer) -> None:
        super().__init__(chain)
        self._first = first

    @asynccontextmanager
    async def hear(self, *, language: str) -> AsyncIterator[Hearing]:
        """Connects the first for one stretch of speech. Raises ProviderError while it is left alone."""
        health = self._chain.links[0].health
        if not health.admits():
            raise ProviderError("The recogniser failed before and is left alone for a while.")
        try:
            async with self._first.hear(language=language) as hearing:
                yield hearing
        except Exception as error:
            health.failed(error)
            raise
        health.succeeded()


def failover_recognizer(chain: Chain[Recognizer]) -> Recognizer:
    """The chain as one recogniser, which listens along where its first does."""
    if isinstance(chain.first, StreamingRecognizer):
        return StreamingFailoverRecognizer(chain, chain.first)
    return FailoverRecognizer(chain)
