"""Puts a purse before providers that cost money: what a call may cost is set aside, and what it did is booked."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Final

from mesh.audio import duration_s
from mesh.clock import Clock
from services.ai_engine.domain.roles import (
    HEARING_RATE_HZ,
    Hearing,
    LanguageModel,
    Recognizer,
    ReplyPart,
    Speaking,
    SpeechChunk,
    StreamingRecognizer,
    StreamingSynthesizer,
    Synthesizer,
    TextDelta,
    TokensUsed,
    ToolCalled,
    Transcript,
    TutorContext,
)
from services.ai_engine.domain.run import ProviderCost
from services.ai_engine.domain.spending import Amount, PriceList, Spending, Used

#: What one answer may take at most: a prompt with a long talk in it, and the answer itself.
_ANSWER: Final = Used(input_tokens=6000, output_tokens=600)
#: What a line may take that is listened to, or spoken, over one connection.
_LISTENED_S: Final = 60.0
_SPOKEN: Final = 1000
#: Letters in a token, where the provider does not count what a broken answer took.
_LETTERS: Final = 4


class Purse:
    """What one session spends. Nothing is refused where nobody is known, or no budgets are kept."""

    def __init__(self, user_id: str, spending: Spending | None, prices: PriceList, clock: Clock) -> None:
        self._user_id = user_id
        self._spending = spending
        self._prices = prices
        self._clock = clock
        self._costs: dict[str, ProviderCost] = {}

    @property
    def currency(self) -> str:
        """The currency of the costs."""
        return self._prices.currency

    def take_costs(self) -> tuple[ProviderCost, ...]:
        """What each provider cost since this was last asked; an estimate, and marked where it is not known."""
        taken, self._costs = self._costs, {}
        return tuple(taken.values())

    async def open(self, provider: str, model: str, most: Used) -> "Bill":
        """Sets aside what a call may take. Raises ExhaustedError BUDGET_EXHAUSTED, and UnavailableError."""
        reservation = ""
        if self._spending is not None and self._user_id:
            reservation = await self._spending.reserve(
                self._user_id, Amount.of(most, self._cost(provider, model, most))
            )
        return Bill(self, provider, model, reservation)

    def pay(self, bill: "Bill", used: Used) -> None:
        """Books what a call took."""
        cost_micros = self._cost(bill.provider, bill.model, used)
        before = self._costs.get(bill.provider, ProviderCost(bill.provider, 0))
        unknown = before.unknown or cost_micros is None
        if cost_micros or unknown:
            self._costs[bill.provider] = ProviderCost(bill.provider, before.cost_micros + (cost_micros or 0), unknown)
        if self._spending is not None:
            self._spending.settle(bill.reservation_id, Amount.of(used, cost_micros))

    def _cost(self, provider: str, model: str, used: Used) -> int | None:
        return self._prices.cost_micros(provider, model, used, self._clock.wall().date())


@dataclass(frozen=True, slots=True)
class Bill:
    """One call under way."""

    purse: Purse
    provider: str
    model: str
    reservation_id: str

    @contextmanager
    def paid(self) -> Iterator["Meter"]:
        """Books what was counted by the end of the block, however it ends."""
        meter = Meter()
        try:
            yield meter
        finally:
            self.purse.pay(self, meter.used)


@dataclass(slots=True)
class Meter:
    """Counts what a call takes."""

    used: Used = field(default_factory=Used)


class PaidModel:
    """A LanguageModel that costs money."""

    def __init__(self, model: LanguageModel, purse: Purse) -> None:
        self._model = model
        self._purse = purse
        self.name = model.name
        self.capabilities = model.capabilities

    async def reply(self, context: TutorContext) -> AsyncGenerator[ReplyPart, None]:
        """Streams the answer. Raises what the model raises, and what `Purse.open` does."""
        bill = await self._purse.open(self.name, self.capabilities.model, _ANSWER)
        with bill.paid() as meter:
            read = written = letters = 0
            counted = False
            answer = self._model.reply(context)
            async with aclosing(answer):  # type: ignore[type-var]  # A generator, as all of ours.
                async for part in answer:
                    match part:
                        case TextDelta(text) | ToolCalled(_, text):
                            letters += len(text)
                        case TokensUsed(input_tokens, output_tokens):
                            # Counted by the vendor: once for the answer, once for what comes beside it.
                            counted, read, written = True, read + input_tokens, written + output_tokens
                        case _:
                            pass
                    meter.used = (
                        Used(read, written) if counted else Used(_ANSWER.input_tokens // 4, letters // _LETTERS)
                    )
                    yield part


class PaidRecognizer:
    """A Recognizer that costs money."""

    def __init__(self, recognizer: Recognizer, purse: Purse) -> None:
        self._recognizer = recognizer
        self._purse = purse
        self.name = recognizer.name
        self.capabilities = recognizer.capabilities

    async def recognize(self, pcm: bytes, *, language: str) -> Transcript:
        """Transcribes. Raises what the recogniser raises, and what `Purse.open` does."""
        used = Used(audio_seconds=duration_s(pcm, HEARING_RATE_HZ))
        bill = await self._purse.open(self.name, self.capabilities.model, used)
        with bill.paid() as meter:
            meter.used = used
            return await self._recognizer.recognize(pcm, language=language)


class PaidStreamingRecognizer(PaidRecognizer):
    """A StreamingRecognizer that costs money."""

    def __init__(self, recognizer: StreamingRecognizer, purse: Purse) -> None:
        super().__init__(recognizer, purse)
        self._streaming = recognizer

    @asynccontextmanager
    async def hear(self, *, language: str) -> AsyncIterator[Hearing]:
        """Connects. Raises what the recogniser raises, and what `Purse.open` does."""
        bill = await self._purse.open(self.name, self.capabilities.model, Used(audio_seconds=_LISTENED_S))
        with bill.paid() as meter:
            async with self._streaming.hear(language=language) as hearing:
                yield _PaidHearing(hearing, meter)


class _PaidHearing:
    """Counts what is listened to (Hearing)."""

    def __init__(self, hearing: Hearing, meter: Meter) -> None:
        self._hearing = hearing
        self._meter = meter

    async def feed(self, pcm: bytes) -> None:
        """Takes the next sound."""
        self._meter.used = Used(audio_seconds=self._meter.used.audio_seconds + duration_s(pcm, HEARING_RATE_HZ))
        await self._hearing.feed(pcm)

    async def transcript(self) -> Transcript:
        """The text of what was fed since the last one."""
        return await self._hearing.transcript()


class PaidSynthesizer:
    """A Synthesizer that costs money."""

    def __init__(self, synthesizer: Synthesizer, purse: Purse) -> None:
        self._synthesizer = synthesizer
        self._purse = purse
        self.name = synthesizer.name
        self.capabilities = synthesizer.capabilities

    async def synthesize(self, text: str, *, voice: str = "", rate: float = 1.0) -> AsyncGenerator[SpeechChunk, None]:
        """Speaks. Raises what the synthesizer raises, and what `Purse.open` does."""
        used = Used(characters=len(text))
        bill = await self._purse.open(self.name, self.capabilities.model, used)
        with bill.paid() as meter:
            meter.used = used
            speech = self._synthesizer.synthesize(text, voice=voice, rate=rate)
            async with aclosing(speech):  # type: ignore[type-var]  # A generator, as all of ours.
                async for chunk in speech:
                    yield chunk


class PaidStreamingSynthesizer(PaidSynthesizer):
    """A StreamingSynthesizer that costs money."""

    def __init__(self, synthesizer: StreamingSynthesizer, purse: Purse) -> None:
        super().__init__(synthesizer, purse)
        self._streaming = synthesizer

    @asynccontextmanager
    async def speak(self, *, voice: str = "", rate: float = 1.0) -> AsyncIterator[Speaking]:
        """Connects for one reply. Raises what the synthesizer raises, and what `Purse.open` does."""
        bill = await self._purse.open(self.name, self.capabilities.model, Used(characters=_SPOKEN))
        with bill.paid() as meter:
            async with self._streaming.speak(voice=voice, rate=rate) as speaking:
                yield _PaidSpeaking(speaking, meter)


class _PaidSpeaking:
    """Counts what is spoken (Speaking)."""

    def __init__(self, speaking: Speaking, meter: Meter) -> None:
        self._speaking = speaking
        self._meter = meter

    def say(self, clause: str) -> AsyncIterator[SpeechChunk]:
        """Speaks the next clause."""
        self._meter.used = Used(characters=self._meter.used.characters + len(clause))
        return self._speaking.say(clause)


def paid_recognizer(recognizer: Recognizer, purse: Purse) -> Recognizer:
    """The recogniser behind a purse, streaming where it streams."""
    if isinstance(recognizer, StreamingRecognizer):
        return PaidStreamingRecognizer(recognizer, purse)
    return PaidRecognizer(recognizer, purse)


def paid_synthesizer(synthesizer: Synthesizer, purse: Purse) -> Synthesizer:
    """The synthesizer behind a purse, streaming where it streams."""
    if isinstance(synthesizer, StreamingSynthesizer):
        return PaidStreamingSynthesizer(synthesizer, purse)
    return PaidSynthesizer(synthesizer, purse)
