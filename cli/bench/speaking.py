"""The local voice without a mesh around it, for benches that only need to have something said."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cli.simulation.voice import SpokenLine, Voice
from cli.talking.sound import Sound
from mesh.audio import SPEECH_HZ
from mesh.settings import load
from services.ai_engine.models import ModelSettings
from services.ai_engine.openers import hibari
from services.ai_engine.registry import Premises
from services.ai_engine.settings import Settings


@asynccontextmanager
async def open_voice() -> AsyncIterator[Voice]:
    """A learner's voice; what it has said before the block is left, it still says afterwards."""
    async with hibari(Premises(load(Settings), load(ModelSettings), {})) as synthesizer:

        async def speak(text: str, rate: float) -> SpokenLine:
            pcm, words = b"", list[tuple[int, int]]()
            async for chunk in synthesizer.synthesize(text, rate=rate):
                pcm += chunk.pcm
                words += [(round(word.start_s * SPEECH_HZ), round(word.end_s * SPEECH_HZ)) for word in chunk.words]
            return SpokenLine(Sound(pcm, SPEECH_HZ), words)

        yield Voice(speak)
