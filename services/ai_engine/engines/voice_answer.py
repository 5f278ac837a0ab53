"""Tells one answer of a speech-to-speech provider as it comes: a clause of text, then the sound that follows it."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final, assert_never

from mesh.audio import BYTES_PER_SAMPLE, samples
from mesh.clock import Clock
from mesh.errors import ProviderError
from mesh.mailbox import Closed, Mailbox
from services.ai_engine.adapters.clauses import ClauseSplitter
from services.ai_engine.domain.roles import TokensUsed, Word
from services.ai_engine.domain.run import (
    Emit,
    Failure,
    ReplyAudioProduced,
    ReplyEnd,
    ReplyFinished,
    ReplyTextProduced,
    Respond,
    Speak,
    Usage,
)
from services.ai_engine.domain.spending import Used
from services.ai_engine.domain.voice import AnswerEnded, AnswerSound, AnswerText, AnswerWord, VoiceLink
from services.ai_engine.engines.reply_sound import ReplySound
from services.ai_engine.engines.voice_words import WordClock

AnswerEvent = AnswerText | AnswerSound | AnswerWord | AnswerEnded

#: The vendor's output that may wait to be told. Full: the connection is not read, and the vendor waits.
_WAITING: Final = 256
#: Until the first text or sound, and between two; after that somebody else answers, or it has failed.
FIRST_S: Final = 2.5
_STALL_S: Final = 5.0
#: Until a stopped answer has ended.
_STOPPED_S: Final = 1.0
#: The last of the sound waits until the end: with it go the words that by estimate have not begun yet.
_TAIL_S: Final = 0.02
#: Sound that may wait for the first text to it.
_EARLY_S: Final = 1.0


@dataclass(slots=True)
class Asked:
    """A reply that is wanted."""

    request: Respond | Speak
    events: Mailbox[AnswerEvent] = field(default_factory=lambda: Mailbox(_WAITING))
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    #: Whether the vendor was asked for it.
    begun: bool = False


class VoiceAnswer:
    """One answer being told. `words` estimates their times where the vendor does not tell them."""

    def __init__(
        self, asked: Asked, *, sound: ReplySound, rate_hz: int, words: WordClock | None, emit: Emit, clock: Clock
    ) -> None:
        self._asked = asked
        self._sound = sound
        self._rate_hz = rate_hz
        self._words = words
        self._emit = emit
        self._clock = clock
        self._reply_id = asked.request.reply_id
        #: A text that was to be spoken is told as it was given, whatever the vendor makes of it.
        self._given = asked.request.text if isinstance(asked.request, Speak) else ""
        self._splitter = ClauseSplitter()
        self._early = bytearray()
        self._due: list[Word] = []
        self._taken = 0
        self._usage = Usage()
        self._begun_s = clock.now()
        self._stopped = False
        self.text = ""
        self.item_id = ""

    @property
    def begun(self) -> bool:
        """Whether anything of it was told."""
        return bool(self.text) or self._taken > 0

    @property
    def total_samples(self) -> int:
        """Samples told."""
        return self._sound.total_samples

    @property
    def used(self) -> Used:
        """What it took, as far as the vendor has told."""
        usage = self._usage
        return Used(
            usage.input_tokens - usage.input_audio_tokens,
            usage.output_tokens - usage.output_audio_tokens,
            usage.input_audio_tokens,
            usage.output_audio_tokens,
        )

    def finished(self, end: ReplyEnd, failure: Failure | None = None) -> ReplyFinished:
        """How it ended."""
        return ReplyFinished(self._reply_id, end, self.total_samples, failure=failure, usage=self._usage)

    async def follow(self, link: VoiceLink) -> ReplyEnd:
        """Tells until it has ended.

        Raises ProviderError where it breaks off, and TimeoutError where it stalls.
        """
        wait_s = FIRST_S
        while (event := await self._next(link, wait_s)) is not None:
            match event:
                case AnswerText(_, text):
                    await self._write(text)
                case AnswerSound(_, item_id, pcm):
                    self.item_id = item_id
                    await self._hear(pcm)
                case AnswerWord(_, text, start_s, end_s):
                    self._due.append(Word(text, start_s, end_s))
                case AnswerEnded():
                    return await self._ended(event)
                case never:
                    assert_never(never)
            wait_s = _STALL_S
        return "cancelled"

    async def _next(self, link: VoiceLink, wait_s: float) -> AnswerEvent | None:
        """What comes next; of an answer that was cancelled its end, or None where that does not come."""
        asked = self._asked
        if not asked.cancelled.is_set():
            getting = asyncio.ensure_future(asked.events.get())
            stopping = asyncio.ensure_future(asked.cancelled.wait())
            try:
                await asyncio.wait((getting, stopping), timeout=wait_s, return_when=asyncio.FIRST_COMPLETED)
                if getting.done() and not asked.cancelled.is_set():
                    return getting.result()
            except Closed:
                raise asked.events.error or ProviderError("The answer broke off; say it again.") from None
            finally:
                getting.cancel()
                stopping.cancel()
            if not asked.cancelled.is_set():
                raise TimeoutError
        return await self._stop(link)

    async def _stop(self, link: VoiceLink) -> AnswerEvent | None:
        """Stops it, and passes over what still comes. Raises TimeoutError where it does not end."""
        self._stopped = True
        await link.stop(self._reply_id)
        with suppress(Closed):
            async with asyncio.timeout(_STOPPED_S):
                while not isinstance(event := await self._asked.events.get(), AnswerEnded):
                    pass
                return event
        return None

    async def _write(self, text: str) -> None:
        if self._words is not None:
            self._due += self._words.write(text)
        for clause in self._splitter.feed(text):
            await self._tell(clause)

    async def _tell(self, clause: str) -> None:
        if not clause:
            return
        if not self.text:
            self._usage = replace(self._usage, first_text_ms=(self._clock.now() - self._begun_s) * 1000)
        if not self._given:
            self.text += clause
            await self._emit(ReplyTextProduced(self._reply_id, clause))
        await self._release()

    async def _hear(self, pcm: bytes) -> None:
        self._early += pcm
        # Text comes first; a vendor that is late with it is not waited for long.
        if self.text or self._given or len(self._early) > BYTES_PER_SAMPLE * self._rate_hz * _EARLY_S:
            await self._release()

    async def _release(self) -> None:
        if self._given and not self.text:
            self.text = self._given
            await self._emit(ReplyTextProduced(self._reply_id, self._given))
        tail = int(_TAIL_S * self._rate_hz) * BYTES_PER_SAMPLE
        pcm = bytes(self._early[:-tail])
        if not pcm:
            return
        del self._early[: len(pcm)]
        if not self._taken:
            waited_ms = (self._clock.now() - self._begun_s) * 1000 - self._usage.first_text_ms
            self._usage = replace(self._usage, first_audio_ms=max(0.0, waited_ms))
        words, self._due = self._due, []
        self._taken += samples(pcm)
        if self._words is not None:
            self._words.sounded(self._taken / self._rate_hz)
        await self._sounds([*self._sound.feed(pcm, words)])

    async def _sounds(self, pieces: list[ReplyAudioProduced]) -> None:
        for piece in pieces:
            await self._emit(piece)
            # Lets the piece leave, and other sessions run.
            await asyncio.sleep(0)

    async def _ended(self, event: AnswerEnded) -> ReplyEnd:
        if event.used is not None:
            self._use(event.used)
        if self._stopped:
            return "cancelled"
        if self._words is not None:
            self._due += self._words.flush()
        await self._tell(self._splitter.flush())
        await self._release()
        words, self._due = self._due, []
        await self._sounds([*self._sound.feed(b"", words), *self._sound.flush(bytes(self._early))])
        if event.end == "failed" or not self.begun:
            raise ProviderError(
                "The speech-to-speech provider could not answer; say it again, or choose another.",
                metadata={"cause": event.cause or "EMPTY"},
            )
        return event.end

    def _use(self, used: TokensUsed) -> None:
        self._usage = replace(
            self._usage,
            input_tokens=used.input_tokens,
            output_tokens=used.output_tokens,
            input_audio_tokens=used.input_audio_tokens,
            output_audio_tokens=used.output_audio_tokens,
        )
