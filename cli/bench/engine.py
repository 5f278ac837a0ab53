"""`viva bench engine`: our pipeline's own share of a turn, with providers that answer at once."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Final

from cli.bench.report import Figure, Report, percentiles
from cli.memory import settle_memory
from mesh.clock import SystemClock
from mesh.server import run
from services.ai_engine.assembly import engine_for
from services.ai_engine.domain.roles import Learner, TutorContext
from services.ai_engine.domain.run import (
    AppendAudio,
    Cancel,
    Configure,
    EngineSession,
    Event,
    Recognize,
    ReplyAudioProduced,
    ReplyFinished,
    Respond,
    Selection,
    SpeechEnded,
    TranscriptRevised,
)
from services.ai_engine.engines.perception import Ear
from services.ai_engine.feedback.assessor import Assessor
from services.ai_engine.providers.instant import (
    CADENCE,
    InstantLanguageModel,
    InstantRecognizer,
    InstantSynthesizer,
    InstantTurnEnd,
    InstantVoiceActivity,
)
from services.ai_engine.registry import Providers

_RATE_HZ: Final = 16_000
_LOUD: Final = b"\x00\x30" * 320
_QUIET: Final = bytes(640)
_GOAL: Final = {"p50": 5.0}
_TURN_S: Final = 10.0
#: The first turns find everything cold.
_WARM: Final = 5


@dataclass(slots=True)
class Ears:
    """Waits for what an engine says."""

    said: dict[type[Event], float] = field(default_factory=dict)
    more: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def emit(self, event: Event) -> None:
        """Takes what is said (Emit)."""
        async with self.more:
            self.said.setdefault(type(event), time.perf_counter())
            self.more.notify_all()

    async def until(self, kind: type[Event]) -> float:
        """When something of that kind was first said, as soon as it was. Raises TimeoutError."""
        async with asyncio.timeout(_TURN_S), self.more:
            await self.more.wait_for(lambda: kind in self.said)
        return self.said[kind]


def bench_engine(*, quick: bool) -> Report:
    """Measures turns of one session. Raises TimeoutError where the engine stops answering."""
    settle_memory()
    turns = 40 if quick else 400
    pauses, hearings, replies, wholes = run(_turns(turns))
    figures: list[Figure] = [
        percentiles("last silent frame → pause told", "ms", pauses),
        percentiles("text asked for → told", "ms", hearings),
        percentiles("reply asked for → first sound told", "ms", replies),
        percentiles("the engine's own share of a turn", "ms", wholes, _GOAL),
    ]
    return Report("engine", turns, figures)


def instant_providers(assessor: Assessor | None = None) -> Providers:
    """Providers that take no time, and who remarks on turns."""
    return Providers(
        recognizers={"instant": InstantRecognizer()},
        language_models={"instant": InstantLanguageModel()},
        synthesizers={"instant": InstantSynthesizer()},
        speech_to_speech={},
        ear=Ear(InstantVoiceActivity(), CADENCE),
        turn_end=InstantTurnEnd(),
        assessor=assessor,
    )


async def _turns(count: int) -> tuple[list[float], list[float], list[float], list[float]]:
    providers = instant_providers()
    configure = Configure(Selection(), _RATE_HZ, 24_000)
    engine = engine_for(configure, providers, clock=SystemClock())
    ears = Ears()
    async with engine.open(configure, ears.emit) as session:
        taken = [await _turn(session, ears, turn) for turn in range(count + _WARM)]
    kept = taken[_WARM:]
    pauses, hearings, replies = ([each[place] for each in kept] for place in range(3))
    return pauses, hearings, replies, [sum(each) for each in kept]


async def _turn(session: EngineSession, ears: Ears, turn: int) -> tuple[float, float, float]:
    """Milliseconds until the pause is told, the text, and the first sound."""
    begin = turn * 10 * 320
    ears.said.clear()
    for place in range(8):
        await session.handle(AppendAudio(begin + place * 320, _LOUD))
    paused = time.perf_counter()
    for place in range(8, 10):
        await session.handle(AppendAudio(begin + place * 320, _QUIET))
    pause_ms = (await ears.until(SpeechEnded) - paused) * 1000
    asked = time.perf_counter()
    await session.handle(Recognize(f"t{turn}", 1, begin, begin + 8 * 320))
    text_ms = (await ears.until(TranscriptRevised) - asked) * 1000
    asked = time.perf_counter()
    context = TutorContext(Learner(), "", (), "Hello there.")
    await session.handle(Respond(f"r{turn}", f"t{turn}", 1, context))
    sound_ms = (await ears.until(ReplyAudioProduced) - asked) * 1000
    await session.handle(Cancel(f"r{turn}"))
    await ears.until(ReplyFinished)
    return pause_ms, text_ms, sound_ms
