"""Listens along to a session's speech with a recogniser that streams, so that its text is nearly there at the pause."""

import asyncio
import logging
from collections import deque
from dataclasses import dataclass
from typing import Final

from services.ai_engine.domain.roles import HEARING_RATE_HZ, Hearing, StreamingRecognizer, Transcript, Word
from services.ai_engine.engines.memory import HeardSound

#: Sound from before the speech: recognisers hear a first word better whole.
_MARGIN: Final = HEARING_RATE_HZ // 5
#: Sound that waited while the connection was made goes out in pieces: vendors limit the size of a message.
_PIECE: Final = HEARING_RATE_HZ // 4
#: A vendor that does not read for so long has failed.
_FEED_S: Final = 2.5
#: A pause after which the connection is closed: vendors bill silence too.
_IDLE_S: Final = 2.0
#: So long an answer is waited for before the remembered sound is recognised instead, in the time that is left.
_PATIENCE_S: Final = 1.4
#: Texts that are remembered: a turn has one for each pause in it. Full: the oldest is forgotten.
_TEXTS: Final = 64

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Piece:
    """What was said between two samples at the hearing rate; its words count from the first."""

    begin: int
    end: int
    transcript: Transcript


class ListeningAlong:
    """One session's. It is an advance: where it fails or comes late, the remembered sound is recognised instead."""

    def __init__(
        self, *, recognizer: StreamingRecognizer, heard: HeardSound, language: str, tasks: asyncio.TaskGroup
    ) -> None:
        self._recognizer = recognizer
        self._heard = heard
        self._language = language
        self._tasks = tasks
        self._listening: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._pieces: deque[_Piece] = deque(maxlen=_TEXTS)
        self._asked: list[asyncio.Future[None]] = []
        self._speaking = False
        self._closed = False
        #: Whether there was speech since the last text.
        self._untold = False
        #: The next sample to feed; where the connection's sound began; up to where its text is known.
        self._position = self._origin = self._told = 0

    def speech_began(self, at: int) -> None:
        """Connects, where nothing is connected: the learner speaks from this sample on."""
        self._speaking = self._untold = True
        if self._listening is None and not self._closed:
            self._position = max(at - _MARGIN, self._told, self._heard.first)
            self._origin = self._told = self._position
            self._listening = self._tasks.create_task(self._listen(), name="listening along")

    def speech_ended(self) -> None:
        """The learner pauses."""
        self._speaking = False
        self._wake.set()

    def heard_more(self) -> None:
        """The session's memory holds more sound."""
        self._wake.set()

    def close(self) -> None:
        """Ends the connection when what was asked is answered."""
        self._closed = True
        self._wake.set()

    async def transcript(self, begin: int) -> Transcript | None:
        """The text from `begin` until now, words counted from there; None where it was not listened to."""
        if self._listening is not None:
            asked: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._asked.append(asked)
            self._wake.set()
            await asyncio.wait((asked,), timeout=_PATIENCE_S)
            if not asked.done():
                return None
        pieces = [piece for piece in self._pieces if piece.end > begin]
        if not pieces or pieces[0].begin > begin or self._listening is None:
            return None
        return _joined(pieces, begin)

    async def _listen(self) -> None:
        try:
            async with self._recognizer.hear(language=self._language) as hearing:
                while await self._step(hearing):
                    pass
        except Exception as error:  # `recognize` is asked for the same sound, and tells what is wrong.
            _log.info(
                "listening along failed", extra={"provider": self._recognizer.name, "error": type(error).__name__}
            )
            self._pieces.clear()
        finally:
            self._listening = None
            self._answer()

    async def _step(self, hearing: Hearing) -> bool:
        """Feeds what came, else answers what was asked, else waits; False when the connection is to be closed."""
        pcm, start = self._heard.stretch(self._position, min(self._heard.end, self._position + _PIECE))
        if pcm:
            self._position = start + len(pcm) // 2
            async with asyncio.timeout(_FEED_S):
                await hearing.feed(pcm)
        elif self._asked:
            if self._position > self._told:
                await self._tell(hearing)
            self._answer()
        elif self._closed:
            return False
        elif not await self._is_woken():
            if self._untold:
                await self._tell(hearing)
            return False
        return True

    async def _tell(self, hearing: Hearing) -> None:
        end, self._untold = self._position, self._speaking
        transcript = await hearing.transcript()
        offset_s = (self._origin - self._told) / HEARING_RATE_HZ
        self._pieces.append(_Piece(self._told, end, transcript.moved(offset_s)))
        self._told = end

    async def _is_woken(self) -> bool:
        try:
            async with asyncio.timeout(None if self._speaking else _IDLE_S):
                await self._wake.wait()
        except TimeoutError:
            return False
        self._wake.clear()
        return True

    def _answer(self) -> None:
        for asked in self._asked:
            if not asked.done():
                asked.set_result(None)
        self._asked.clear()


def _joined(pieces: list[_Piece], begin: int) -> Transcript:
    words: list[Word] = []
    for piece in pieces:
        words += piece.transcript.moved((piece.begin - begin) / HEARING_RATE_HZ).words
    text = " ".join(piece.transcript.text for piece in pieces if piece.transcript.text)
    return Transcript(text, tuple(words), pieces[-1].transcript.turn_end)
