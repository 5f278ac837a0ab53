"""Has a whole stretch of speech recognised by somebody who listens along."""

from abc import ABC, abstractmethod
from contextlib import AbstractAsyncContextManager
from typing import Final

from mesh.errors import InvalidFieldError
from services.ai_engine.domain.roles import HEARING_RATE_HZ, Hearing, Transcript

#: A quarter of a second: vendors limit the size of a message.
_PIECE_BYTES: Final = HEARING_RATE_HZ // 4 * 2


class ListensAlong(ABC):
    """A recogniser that has only to listen along (StreamingRecognizer): what is said already it hears likewise."""

    @abstractmethod
    def hear(self, *, language: str) -> AbstractAsyncContextManager[Hearing]:
        """Connects for one stretch of speech."""

    async def recognize(self, pcm: bytes, *, language: str) -> Transcript:
        """Transcribes PCM at 16 kHz over a connection of its own. Raises InvalidFieldError and ProviderError."""
        async with self.hear(language=language) as hearing:
            return await heard_at_once(hearing, pcm)


async def heard_at_once(hearing: Hearing, pcm: bytes) -> Transcript:
    """The text of the whole. Raises ProviderError."""
    for begin in range(0, len(pcm), _PIECE_BYTES):
        await hearing.feed(pcm[begin : begin + _PIECE_BYTES])
    return await hearing.transcript()


def checked_language(language: str, known: frozenset[str]) -> str:
    """The primary subtag, where it is known; an empty set knows all.

    Raises InvalidFieldError.
    """
    subtag = language.split("-")[0].lower()
    if known and subtag not in known:
        raise InvalidFieldError(
            "The speech recogniser does not know this language; choose another, or another recogniser.",
            field="language",
        )
    return subtag
