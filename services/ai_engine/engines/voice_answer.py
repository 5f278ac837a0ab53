"""Tells one answer of a speech-to-speech provider as it comes: a clause of text, then the sound that follows it."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final, assert_never

from mesh.audio import BYTES_PER_SAMPLE, samples
from mesh.clock import Clock
from mesh.errors import ProviderError
from mesh.mailbox import Closed, Mailbox
from services.ai_engine.adapters.chain import Attempt
from services.ai_engine.adapters.clauses import ClauseSplitter
from services.ai_engine.adapters.patience import waiting_since
from services.ai_engine.domain.begun import Begun, after_words
from services.ai_engine.domain.continuation import GoingOn, without_fragment
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
)
from services.ai_engine.domain.spending import Used
from services.ai_engine.domain.voice import (
    AnswerEnded,
    AnswerSound,
    AnswerText,
    AnswerWord,
    AnswerWritten,
    SpeechToSpeech,
    VoiceLink,
)
from services.ai_engine.engines.reply_sound import ReplySound
from services.ai_engine.engines.voice_party import Party
from services.ai_engine.engines.voice_words import WordClock

AnswerEvent = AnswerText | AnswerWritten | AnswerSound | AnswerWord | AnswerEnded

#: The vendor's output that may wait to be told. Full: the connection is not read, and the vendor waits.
_WAITING: Final = 256
#: Until a stopped answer has ended.
_STOPPED_S: Final = 1.0
#: The last of the sound waits until the end: with it go the words that by estimate have not begun yet.
_TAIL_S: Final = 0.02
#: Sound that may wait for the first text to it, and for the text by which it is known to go on with another's answer.
_EARLY_S: Final = 1.0
_UNSURE_S: Final = 10.0


@dataclass(slots=True)
class Asked:
    """A reply that is wanted."""

    request: Respond | Speak
    events: Mailbox[AnswerEvent] = field(default_factory=lambda: Mailbox(_WAITING))
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    #: Who was asked for it.
    party: Party | None = None

    def ask(self, party: Party) -> None:
        """Somebody else is asked: what the one before still gives does not count."""
        self.party, self.events = party, Mailbox(_WAITING)


class VoiceAnswer:
    """One answer being told, or the rest of one that another has begun."""

    def __init__(
        self, asked: Asked, party: Party, begun: Begun, *, output_rate_hz: int, emit: Emit, clock: Clock
    ) -> None:
        known = party.provider.capabilities
        self._asked = asked
        self._rate_hz = known.sample_rate_hz
        self._sound = ReplySound(
            asked.request.reply_id,
            from_hz=known.sample_rate_hz,
            to_hz=output_rate_hz,
            first_sample=begun.samples,
            announced=begun.announced,
        )
        #: Estimates when words sound, where the vendor does not tell.
        self._words = None if known.word_times else WordClock()
        self._begun = begun
        self._going_on = GoingOn(begun.text, begun.rest) if begun.text else None
        self._emit = emit
        self._clock = clock
        self._reply_id = asked.request.reply_id
        #: A text that was to be spoken is told as it was given, whatever the vendor makes of it.
        self._given = asked.request.text if isinstance(asked.request, Speak) else ""
        self._splitter = ClauseSplitter()
        self._early = bytearray()
        self._due: list[Word] = []
        self._sounded: list[Word] = []
        self._taken = 0
        self._usage = begun.usage
        self._begun_s = waiting_since(clock)
        self._stopped = False
        self._over = False
        self.used = Used()
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

    def finished(self, end: ReplyEnd, failure: Failure | None = None) -> ReplyFinished:
        """How it ended."""
        return ReplyFinished(self._reply_id, end, self.total_samples, failure=failure, usage=self._usage)

    async def broke_off(self) -> Begun:
        """Tells the whole words and the sound that wait; returns what another has to go on with."""
        if not self.begun:
            return replace(self._begun, usage=self._usage)
        waiting = self._splitter.flush()
        await self._tell(waiting if self._over else without_fragment(waiting))
        await self._release(self._early)
        until_s = self._taken / self._rate_hz
        told = len(self._sounded) - self._sound.untold
        whole = [word.text for word in self._sounded[:told] if word.end_s <= until_s]
        return Begun(
            text=self._begun.text + self.text,
            rest=after_words(self._begun.rest + self.text, whole),
            announced=told - len(whole),
            samples=self.total_samples,
            over=self._over,
            usage=self._usage,
        )

    async def follow(self, link: VoiceLink, attempt: Attempt[SpeechToSpeech]) -> ReplyEnd:
        """Tells until it has ended.

        Raises ProviderError where it breaks off, TimeoutError where it stalls, and ValueError where it begins anew
        instead of going on.
        """
        while (event := await self._next(link, attempt.wait_s())) is not None:
            match event:
                case AnswerText(_, text):
                    await self._write(text)
                case AnswerWritten():
                    self._over = True
                case AnswerSound(_, item_id, pcm):
                    self.item_id = item_id
                    await self._hear(pcm)
                case AnswerWord(_, text, start_s, end_s):
                    self._due.append(Word(text, start_s, end_s))
                case AnswerEnded():
                    return await self._ended(event)
                case never:
                    assert_never(never)
            attempt.answers()
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
        new = self._going_on.feed(text) if self._going_on else text
        for clause in self._splitter.feed(new):
            await self._tell(clause)
        if self._going_on:
            await self._release(self._ready())

    async def _tell(self, clause: str) -> None:
        if not clause:
            return
        if not self._usage.first_text_ms:
            self._usage = replace(self._usage, first_text_ms=(self._clock.now() - self._begun_s) * 1000)
        if not self._given:
            self.text += clause
            self._speaks(clause)
            await self._emit(ReplyTextProduced(self._reply_id, clause))
        await self._release(self._ready())

    async def _hear(self, pcm: bytes) -> None:
        self._early += pcm
        await self._release(self._ready())

    def _ready(self) -> bytes:
        """The sound that need not wait."""
        waiting_s = len(self._early) / BYTES_PER_SAMPLE / self._rate_hz
        if self._going_on:
            if not self._going_on.sure and waiting_s > _UNSURE_S:
                raise ValueError("it speaks, and does not tell what")
            may_sound = self._going_on.sure
        else:
            # Text comes first; a vendor that is late with it is not waited for long.
            may_sound = bool(self.text or self._given) or waiting_s > _EARLY_S
        return bytes(self._early[: -int(_TAIL_S * self._rate_hz) * BYTES_PER_SAMPLE]) if may_sound else b""

    async def _release(self, pcm: bytes | bytearray) -> None:
        pcm = bytes(pcm)
        if not pcm:
            return
        if self._given and not self.text:
            self.text = self._given
            self._speaks(self._given)
            await self._emit(ReplyTextProduced(self._reply_id, self._given))
        del self._early[: len(pcm)]
        if not self._usage.first_audio_ms:
            waited_ms = (self._clock.now() - self._begun_s) * 1000 - self._usage.first_text_ms
            self._usage = replace(self._usage, first_audio_ms=max(0.0, waited_ms))
        words, self._due = self._due, []
        self._sounded += words
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
        if event.end == "failed":
            raise _not_answered(event.cause)
        if self._words is not None:
            self._due += self._words.flush()
        new = self._going_on.flush() if self._going_on else ""
        for clause in (*self._splitter.feed(new), self._splitter.flush()):
            await self._tell(clause)
        await self._release(self._ready())
        words, self._due = self._due, []
        await self._sounds([*self._sound.feed(b"", words), *self._sound.flush(bytes(self._early))])
        if not self.begun:
            raise _not_answered("EMPTY")
        return event.end

    def _speaks(self, text: str) -> None:
        self._usage = replace(self._usage, spoken_characters=self._usage.spoken_characters + len(text.strip()))

    def _use(self, used: TokensUsed) -> None:
        before = self._usage
        self._usage = replace(
            before,
            input_tokens=before.input_tokens + used.input_tokens,
            output_tokens=before.output_tokens + used.output_tokens,
            input_audio_tokens=before.input_audio_tokens + used.input_audio_tokens,
            output_audio_tokens=before.output_audio_tokens + used.output_audio_tokens,
        )
        self.used = Used(
            used.input_tokens - used.input_audio_tokens,
            used.output_tokens - used.output_audio_tokens,
            used.input_audio_tokens,
            used.output_audio_tokens,
        )


def _not_answered(cause: str) -> ProviderError:
    return ProviderError(
        "The speech-to-speech provider could not answer; say it again, or choose another.",
        metadata={"cause": cause or "FAILED"},
    )
