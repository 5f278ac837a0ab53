"""Whoever fails, and however: within three seconds the learner has something, or is told what is wrong."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any, Final, Literal, get_args

import pytest

from mesh.errors import ProviderError
from services.ai_engine.adapters.chain import Healths
from services.ai_engine.assembly import engine_for
from services.ai_engine.domain.roles import (
    Capabilities,
    Line,
    ReplyPart,
    SpeechChunk,
    TextDelta,
    Transcript,
    TutorContext,
    Word,
)
from services.ai_engine.domain.run import (
    Configure,
    EngineFailed,
    Event,
    Failure,
    ReplyAudioProduced,
    ReplyFinished,
    ReplyTextProduced,
    Selection,
    TranscriptRevised,
)
from services.ai_engine.domain.voice import AnswerEnded, AnswerSound, AnswerText, VoiceEvent, VoiceSetup
from services.ai_engine.engines.perception import Ear
from services.ai_engine.providers.instant import CADENCE, InstantTurnEnd, InstantVoiceActivity
from services.ai_engine.registry import Providers
from tests.services.ai_engine.scripted import Listener, ScriptedModel, ScriptedRecognizer, ScriptedVoice
from tests.services.ai_engine.unified_talk import INPUT_HZ, OUTPUT_HZ, UnifiedTalk
from tests.services.ai_engine.virtual_time import LoopClock, in_virtual_time

#: Down, at its limit, or speaking nonsense at once; silent for ever, from the start or in the middle; late to connect
#: and then silent.
Fault = Literal["down", "limited", "garbage", "slow", "stalls", "late"]
FAULTS: Final = get_args(Fault)
#: What the issue asks for.
IN_TIME_S: Final = 3.0
WHOLE: Final = "Good morning! We have tea, coffee and cake. Which one would you like?"
BEGIN: Final = "Good morning! "
AWAY: Final = Capabilities(
    languages=frozenset(), local=False, label="Away.", sample_rate_hz=8000, word_times=True, streams_in=True
)


async def misbehave(fault: Fault) -> None:
    """Does not give what was asked."""
    match fault:
        case "down":
            raise ProviderError("It is down.", metadata={"cause": "UNREACHABLE"})
        case "limited":
            raise ProviderError("It has no capacity.", metadata={"cause": "LIMITED"})
        case "garbage":
            raise ValueError("not JSON")
        case "slow" | "stalls" | "late":
            await asyncio.sleep(3600)


class Faulty:
    """Somebody elsewhere in every role, who has one fault."""

    name = "faulty"
    capabilities = AWAY
    longest_s = 3600.0

    def __init__(self, fault: Fault) -> None:
        self.fault: Fault = fault

    async def recognize(self, pcm: bytes, *, language: str) -> Transcript:
        await misbehave(self.fault)
        return Transcript("")

    async def reply(self, context: TutorContext) -> AsyncIterator[ReplyPart]:
        if self.fault == "stalls":
            yield TextDelta(BEGIN)
        await misbehave(self.fault)

    async def synthesize(self, text: str, *, voice: str = "", rate: float = 1.0) -> AsyncIterator[SpeechChunk]:
        first = text.split()[0]
        if self.fault == "stalls":
            yield SpeechChunk(b"\x01\x10" * 800, (Word(first, 0.0, 0.1),))
        await misbehave(self.fault)

    async def connected(self) -> None:
        match self.fault:
            case "late":
                await asyncio.sleep(1.1)
            case "stalls":
                pass
            case _:
                await misbehave(self.fault)


class FaultyAlong(Faulty):
    """One that keeps a connection, which has the fault too."""

    @asynccontextmanager
    async def hear(self, *, language: str) -> AsyncIterator["FaultyAlong"]:
        await self.connected()
        yield self

    async def feed(self, pcm: bytes) -> None:
        pass

    async def transcript(self) -> Transcript:
        await misbehave(self.fault)
        return Transcript("")

    @asynccontextmanager
    async def speak(self, *, voice: str = "", rate: float = 1.0) -> AsyncIterator["FaultyAlong"]:
        await self.connected()
        yield self

    def say(self, clause: str) -> AsyncIterator[SpeechChunk]:
        return self.synthesize(clause)

    @asynccontextmanager
    async def connect(self, setup: VoiceSetup) -> AsyncIterator["FaultyLink"]:
        await self.connected()
        yield FaultyLink(self.fault)


class FaultyLink:
    """A connection to a speech-to-speech provider that takes everything and answers nothing to its end."""

    def __init__(self, fault: Fault) -> None:
        self._fault: Fault = fault
        self._asked: asyncio.Queue[str] = asyncio.Queue()

    async def events(self) -> AsyncIterator[VoiceEvent]:
        while True:
            reply_id = await self._asked.get()
            if self._fault == "stalls":
                yield AnswerText(reply_id, BEGIN)
                yield AnswerSound(reply_id, "item", b"\x01\x10" * 8000)
            elif self._fault == "limited":
                yield AnswerEnded(reply_id, "failed", cause="rate_limit_exceeded")

    async def answer(self, reply_id: str) -> None:
        self._asked.put_nowait(reply_id)

    async def instruct(self, instructions: str) -> None: ...
    async def append(self, pcm: bytes) -> None: ...
    async def commit(self) -> None: ...
    async def clear(self) -> None: ...
    async def remember(self, item_id: str, line: Line, *, after: str) -> None: ...
    async def forget(self, item_id: str) -> None: ...
    async def cut(self, item_id: str, heard_ms: int) -> None: ...
    async def say(self, reply_id: str, text: str) -> None: ...
    async def stop(self, reply_id: str) -> None: ...


class Watch(Listener):
    """Notes when each event came."""

    def __init__(self) -> None:
        super().__init__()
        self.moments: list[tuple[float, Event]] = []

    async def emit(self, event: Event) -> None:
        self.moments.append((LoopClock().now(), event))
        await super().emit(event)

    def longest_wait_s(self, since_s: float, *kinds: type[Event]) -> float:
        """Between what the learner notices."""
        moments = [since_s, *(moment for moment, event in self.moments if isinstance(event, kinds))]
        return max(after - before for before, after in pairwise(moments))


def providers(role: str, fault: Fault, *, backed: bool) -> Providers:
    """Two with the fault in the role, with a good one behind them or not; everybody else is well."""
    ways = {
        "recognizers": ScriptedRecognizer(),
        "language_models": ScriptedModel(WHOLE),
        "synthesizers": ScriptedVoice(),
    }
    cast: dict[str, dict[str, Any]] = {each: {"good": provider} for each, provider in ways.items()}
    role, _, connected = role.partition("/")
    faulty = [(FaultyAlong if connected else Faulty)(fault) for _ in range(2)]
    cast[role] = {"a": faulty[0], "b": faulty[1], **(cast.get(role, {}) if backed else {})}
    if role == "speech_to_speech" and not backed:
        # A language that nobody else knows.
        cast["recognizers"] = cast["language_models"] = cast["synthesizers"] = {}
    return Providers(
        recognizers=cast["recognizers"],
        language_models=cast["language_models"],
        synthesizers=cast["synthesizers"],
        speech_to_speech=cast.get("speech_to_speech", {}),
        ear=Ear(InstantVoiceActivity(), CADENCE),
        turn_end=InstantTurnEnd(),
        healths=Healths(LoopClock()),
    )


@asynccontextmanager
async def talking(role: str, fault: Fault, *, backed: bool) -> AsyncIterator[tuple[UnifiedTalk, Watch]]:
    selection = Selection("unified") if role.startswith("speech_to_speech") else Selection("pipelined")
    configure = Configure(selection, INPUT_HZ, OUTPUT_HZ)
    engine = engine_for(configure, providers(role, fault, backed=backed), clock=LoopClock())
    watch = Watch()
    async with engine.open(configure, watch.emit) as session:
        yield UnifiedTalk(session, watch), watch


async def replied(role: str, fault: Fault, *, backed: bool) -> tuple[ReplyFinished, float, str]:
    """How a reply ended, the longest wait in it, and what was told."""
    async with talking(role, fault, backed=backed) as (talk, watch):
        asked_at = LoopClock().now()
        await talk.respond("r1", "Hello.")
        finished = await talk.finished()
        wait_s = watch.longest_wait_s(asked_at, ReplyTextProduced, ReplyAudioProduced, ReplyFinished)
        return finished, wait_s, "".join(event.text for event in watch.all(ReplyTextProduced))


async def heard(role: str, fault: Fault, *, backed: bool) -> tuple[str | Failure, float]:
    """What was understood, or why nothing was, and how long that took."""
    async with talking(role, fault, backed=backed) as (talk, watch):
        saying = asyncio.create_task(talk.say())
        answered = {asyncio.create_task(watch.until(kind)) for kind in (TranscriptRevised, EngineFailed)}
        _, waiting = await asyncio.wait(answered, return_when=asyncio.FIRST_COMPLETED)
        for task in (*waiting, saying):
            task.cancel()
        at_s, answer = next(each for each in watch.moments if isinstance(each[1], TranscriptRevised | EngineFailed))
    # It was asked for as soon as the pause was told, which takes no time here.
    assert isinstance(answer, TranscriptRevised | EngineFailed)
    return (answer.text if isinstance(answer, TranscriptRevised) else answer.failure), at_s


SPEAKING: Final[Sequence[str]] = ("language_models", "synthesizers", "synthesizers/over", "speech_to_speech/over")
HEARING: Final[Sequence[str]] = ("recognizers", "recognizers/over", "speech_to_speech/over")


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("role", SPEAKING)
def test_somebody_else_answers_in_time_and_says_it_once(role: str, fault: Fault) -> None:
    finished, wait_s, told = in_virtual_time(replied(role, fault, backed=True))
    assert finished.end == "complete", finished.failure
    assert wait_s <= IN_TIME_S
    assert told == WHOLE


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("role", SPEAKING)
def test_where_nobody_else_answers_the_error_is_typed_and_in_time(role: str, fault: Fault) -> None:
    finished, wait_s, _ = in_virtual_time(replied(role, fault, backed=False))
    assert finished.end == "failed"
    assert finished.failure is not None
    assert finished.failure.reason == "PROVIDER_FAILED"
    assert wait_s <= IN_TIME_S


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("role", HEARING)
def test_somebody_else_understands_in_time(role: str, fault: Fault) -> None:
    understood, wait_s = in_virtual_time(heard(role, fault, backed=True))
    assert understood == "text 1"
    assert wait_s <= IN_TIME_S


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("role", HEARING)
def test_where_nobody_else_understands_the_error_is_typed_and_in_time(role: str, fault: Fault) -> None:
    failure, wait_s = in_virtual_time(heard(role, fault, backed=False))
    assert isinstance(failure, Failure)
    assert failure.reason == "PROVIDER_FAILED"
    assert wait_s <= IN_TIME_S
