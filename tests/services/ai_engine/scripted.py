"""Providers that do what a test tells them, and a listener for what an engine says."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

from mesh.clock import SystemClock
from services.ai_engine.domain.roles import (
    Capabilities,
    LanguageModel,
    Learner,
    Recognizer,
    ReplyPart,
    SpeechChunk,
    Synthesizer,
    TextDelta,
    Transcript,
    TurnEnd,
    TutorContext,
    Word,
)
from services.ai_engine.domain.run import AppendAudio, Configure, Event, ReplyFinished, Respond, Selection
from services.ai_engine.engines.perception import Ear
from services.ai_engine.engines.pipelined import Parts, PipelinedEngine, PipelinedSession
from services.ai_engine.providers.instant import (
    CADENCE,
    InstantLanguageModel,
    InstantRecognizer,
    InstantSynthesizer,
    InstantTurnEnd,
    InstantVoiceActivity,
)

E = TypeVar("E", bound=Event)

HERE = Capabilities(languages=frozenset(), local=True, label="Scripted.")
LOUD_20_MS = b"\x00\x30" * 320
QUIET_20_MS = bytes(640)


class ScriptedModel:
    """Writes given parts; waits for `go` before the part after the `pause`th."""

    name = "scripted"
    capabilities = HERE

    def __init__(self, *parts: ReplyPart | str | Exception, pause: int | None = None) -> None:
        self._parts = parts
        self._pause = pause
        self.go = asyncio.Event()
        self.contexts: list[TutorContext] = []
        self.closed = 0

    async def reply(self, context: TutorContext) -> AsyncIterator[ReplyPart]:
        self.contexts.append(context)
        try:
            for place, part in enumerate(self._parts):
                if place == self._pause:
                    await self.go.wait()
                if isinstance(part, Exception):
                    raise part
                yield TextDelta(part) if isinstance(part, str) else part
            if self._pause == len(self._parts):
                await self.go.wait()
        finally:
            self.closed += 1


class ScriptedVoice:
    """Speaks 10 ms a letter at 8 kHz, in one piece; waits for `go` before what is `held`, fails on what is `bad`."""

    name = "scripted"
    capabilities = Capabilities(
        languages=frozenset(), local=True, label="Scripted.", sample_rate_hz=8000, word_times=True, voices=("one",)
    )

    def __init__(self, *, held: Sequence[str] = (), bad: dict[str, Exception] | None = None) -> None:
        self._held = held
        self._bad = bad or {}
        self.go = asyncio.Event()
        self.asked: list[tuple[str, float]] = []
        self.calls: asyncio.Queue[str] = asyncio.Queue()
        self.closed = 0

    async def synthesize(self, text: str, *, voice: str = "", rate: float = 1.0) -> AsyncIterator[SpeechChunk]:
        self.asked.append((text, rate))
        self.calls.put_nowait(text)
        try:
            if text in self._bad:
                raise self._bad[text]
            if text in self._held:
                await self.go.wait()
            begin_s, words = 0.0, []
            for word in text.split():
                words.append(Word(word, begin_s, begin_s + 0.01 * len(word)))
                begin_s += 0.01 * (len(word) + 1)
            yield SpeechChunk(b"\x01\x10" * (80 * len(text)), tuple(words))
        finally:
            self.closed += 1


class ScriptedRecognizer:
    """Waits for `go`, then gives one word that sounds from 0.3 to 0.5 s; remembers what it heard."""

    name = "scripted"
    capabilities = HERE

    def __init__(self, *, error: Exception | None = None, held: bool = False) -> None:
        self._error = error
        self.go = asyncio.Event()
        if not held:
            self.go.set()
        self.heard: list[bytes] = []

    async def recognize(self, pcm: bytes, *, language: str) -> Transcript:
        self.heard.append(pcm)
        place = len(self.heard)
        await self.go.wait()
        if self._error:
            raise self._error
        return Transcript(f"text {place}", (Word("text", 0.3, 0.5),))


class Listener:
    """Takes what an engine says."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._said = asyncio.Condition()

    async def emit(self, event: Event) -> None:
        async with self._said:
            self.events.append(event)
            self._said.notify_all()

    def all(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    async def until(self, kind: type[E], count: int = 1) -> list[E]:
        """Waits until so many events of a kind were said."""
        async with asyncio.timeout(10), self._said:
            await self._said.wait_for(lambda: len(self.all(kind)) >= count)
        return self.all(kind)


class Talk:
    """A session of a pipelined engine and its listener."""

    def __init__(self, session: PipelinedSession, listener: Listener) -> None:
        self.session = session
        self.listener = listener
        self.handle = session.handle
        self.position = 0

    async def hear(self, *frames: bytes) -> None:
        """Sends frames of sound one after another."""
        for frame in frames:
            await self.session.handle(AppendAudio(self.position, frame))
            self.position += len(frame) // 2

    async def respond(self, reply_id: str = "r1", *, turn: str = "Hello.", scenario_id: str = "cafe") -> None:
        """Asks for a reply."""
        context = TutorContext(Learner(), scenario_id, (), turn)
        await self.session.handle(Respond(reply_id, "t1", 3, context))

    async def finished(self, count: int = 1) -> ReplyFinished:
        """Waits for the end of so many replies and returns the last."""
        return (await self.listener.until(ReplyFinished, count))[-1]


@asynccontextmanager
async def talk(
    *,
    language_model: LanguageModel | None = None,
    synthesizer: Synthesizer | None = None,
    recognizer: Recognizer | None = None,
    turn_end: TurnEnd | None = None,
    ear: Ear | None = None,
    input_rate_hz: int = 16_000,
    output_rate_hz: int = 24_000,
    listener: Listener | None = None,
) -> AsyncIterator[Talk]:
    """Opens a session of an engine made of these, and of instant stubs where none is given."""
    parts = Parts(
        ear=ear or Ear(InstantVoiceActivity(), CADENCE),
        turn_end=turn_end or InstantTurnEnd(),
        recognizer=recognizer or InstantRecognizer(),
        language_model=language_model or InstantLanguageModel(),
        synthesizer=synthesizer or InstantSynthesizer(),
    )
    said = listener or Listener()
    engine = PipelinedEngine(parts, Selection(), clock=SystemClock())
    async with engine.open(Configure(Selection(), input_rate_hz, output_rate_hz), said.emit) as session:
        yield Talk(session, said)
