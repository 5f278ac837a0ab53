"""A session of an engine as a test talks with it; a unified one with an emulated vendor behind the vendor's own SDK."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np

from mesh.clock import Clock, SystemClock
from services.ai_engine.adapters.chain import Chain, Healths, Link, Tell, untold
from services.ai_engine.adapters.patience import Patience
from services.ai_engine.domain.roles import Learner, Line, TutorContext
from services.ai_engine.domain.run import (
    AppendAudio,
    Configure,
    EngineSession,
    Recognize,
    ReplyFinished,
    Respond,
    Selection,
    SpeechEnded,
    TranscriptRevised,
)
from services.ai_engine.domain.voice import SpeechToSpeech, TurnTaking
from services.ai_engine.engines.perception import Ear
from services.ai_engine.engines.pipelined import Parts
from services.ai_engine.engines.unified import UnifiedEngine, VoiceParts
from services.ai_engine.prompts.talk import TalkPrompt
from services.ai_engine.providers.azure_voice_live import AzureVoiceLive, VoiceLiveOptions
from services.ai_engine.providers.instant import CADENCE, InstantTurnEnd, InstantVoiceActivity
from services.ai_engine.providers.openai_realtime import OpenAiRealtime, RealtimeOptions
from tests.emulators.realtime import DialectName
from tests.services.ai_engine.scripted import Listener

INPUT_HZ = 16_000
OUTPUT_HZ = 24_000


def provider(dialect: DialectName, base_url: str, *, longest_s: float = 3600.0) -> SpeechToSpeech:
    """The provider of a dialect, at an emulator."""
    match dialect:
        case "openai":
            return OpenAiRealtime(RealtimeOptions(base_url, "emulated", "key-1", "transcriber", longest_s=longest_s))
        case "azure":
            return AzureVoiceLive(
                VoiceLiveOptions(base_url, "emulated", "key-1", ("ava", "alloy"), longest_s=longest_s)
            )


def speech(length_s: float) -> bytes:
    """A loud tone."""
    times = np.arange(int(length_s * INPUT_HZ)) / INPUT_HZ
    return (9000 * np.cos(2 * np.pi * 300 * times)).astype("<i2").tobytes()


class UnifiedTalk:
    """A session and what it says."""

    def __init__(self, session: EngineSession, listener: Listener) -> None:
        self.session = session
        self.listener = listener
        self.position = 0
        self.lines: list[Line] = []
        self.hearing = 0

    async def hear(self, pcm: bytes) -> None:
        """Sends sound in frames of 20 ms."""
        for begin in range(0, len(pcm), 640):
            frame = pcm[begin : begin + 640]
            await self.session.handle(AppendAudio(self.position, frame))
            self.position += len(frame) // 2

    async def say(self, length_s: float = 0.6, *, turn_id: str = "t1", from_sample: int | None = None) -> str:
        """Speaks and pauses; returns what was understood."""
        begin = self.position if from_sample is None else from_sample
        pauses = len(self.listener.all(SpeechEnded))
        await self.hear(speech(length_s))
        await self.hear(bytes(int(0.5 * INPUT_HZ) * 2))
        ended = (await self.listener.until(SpeechEnded, pauses + 1))[-1]
        return await self.recognize(turn_id, begin, ended.at_sample)

    async def recognize(self, turn_id: str, from_sample: int, to_sample: int) -> str:
        """What was said in a stretch."""
        self.hearing += 1
        told = len(self.listener.all(TranscriptRevised))
        await self.session.handle(Recognize(turn_id, self.hearing, from_sample, to_sample))
        return (await self.listener.until(TranscriptRevised, told + 1))[-1].text

    async def respond(self, reply_id: str, turn: str, *, turn_id: str = "t1", lines: tuple[Line, ...] = ()) -> None:
        """Asks for a reply."""
        context = TutorContext(Learner(display_name="Yuki"), "", lines, turn)
        await self.session.handle(Respond(reply_id, turn_id if turn else "", 1, context))

    async def finished(self, count: int = 1) -> ReplyFinished:
        """The end of so many replies; the last."""
        return (await self.listener.until(ReplyFinished, count))[-1]


@asynccontextmanager
async def unified_talk(
    *voices: SpeechToSpeech,
    turn_taking: TurnTaking = "ours",
    stand_ins: Parts | None = None,
    clock: Clock | None = None,
    listener: Listener | None = None,
    healths: Healths | None = None,
    patience: Patience = Patience(),  # noqa: B008  # Frozen.
    tell: Tell = untold,
) -> AsyncIterator[UnifiedTalk]:
    """Opens a session."""
    clock, known = clock or SystemClock(), healths or Healths(SystemClock())
    links = [Link(voice.name, voice, known.of("speech_to_speech", voice.name)) for voice in voices]
    chain = Chain(links, patience=patience, clock=clock, tell=tell, backed=stand_ins is not None)
    parts = VoiceParts(
        voices=chain,
        ear=Ear(InstantVoiceActivity(), CADENCE),
        turn_end=InstantTurnEnd(),
        prompt=TalkPrompt({}),
        turn_taking=turn_taking,
        stand_ins=stand_ins,
    )
    said = listener or Listener()
    selection = Selection("unified", speech_to_speech=voices[0].name)
    engine = UnifiedEngine(parts, selection, clock=clock)
    async with engine.open(Configure(selection, INPUT_HZ, OUTPUT_HZ), said.emit) as session:
        yield UnifiedTalk(session, said)
