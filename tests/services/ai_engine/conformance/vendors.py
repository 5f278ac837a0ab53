"""Every recogniser and synthesizer of a vendor, each with the emulator that it speaks to."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

from mesh.workers import Workers
from services.ai_engine.adapters.openai_client import OpenAiAccess
from services.ai_engine.domain.roles import Recognizer, StreamingRecognizer, StreamingSynthesizer, Synthesizer
from services.ai_engine.providers.azure_recognizer import AzureRecognizer
from services.ai_engine.providers.azure_synthesizer import AzureSynthesizer
from services.ai_engine.providers.deepgram import DeepgramRecognizer
from services.ai_engine.providers.deepgram_aura import AuraSynthesizer
from services.ai_engine.providers.deepgram_flux import FluxRecognizer
from services.ai_engine.providers.elevenlabs_recognizer import ScribeRecognizer
from services.ai_engine.providers.elevenlabs_synthesizer import ElevenLabsSynthesizer
from services.ai_engine.providers.openai_realtime_transcription import OpenAiRealtimeRecognizer
from services.ai_engine.providers.openai_speech import OpenAiSynthesizer
from services.ai_engine.providers.openai_transcription import OpenAiRecognizer
from services.ai_engine.vendors import AzureSpeechSettings, DeepgramSettings, ElevenLabsSettings, OpenAiSpeechSettings
from tests.emulators.azure import AzureEmulator
from tests.emulators.deepgram import DeepgramEmulator
from tests.emulators.elevenlabs import ElevenLabsEmulator
from tests.emulators.openai_sound import OpenAiRealtimeEmulator, OpenAiSoundEmulator
from tests.emulators.vendor import Vendor, running

P = TypeVar("P", covariant=True)
KEY = "key-1"
#: Azure's SDK takes connections down in threads of its own.
_AZURE_S = 0.15


async def _nothing() -> None:
    pass


@dataclass(frozen=True, slots=True)
class Pair(Generic[P]):
    """A provider and the emulator it speaks to."""

    provider: P
    emulator: Vendor
    #: Closes what the provider keeps warm.
    close: Callable[[], Awaitable[None]] = _nothing
    #: Until a vendor sees that a connection is gone, on a quiet machine: a frame of sound.
    goodbye_s: float = 0.02


Opens = Callable[[], AbstractAsyncContextManager[Pair[P]]]


def _deepgram(url: str) -> DeepgramSettings:
    return DeepgramSettings(api_key=KEY, base_url=url, voices=("aura-2-thalia-en", "aura-2-orion-en"))


def _elevenlabs(emulator: ElevenLabsEmulator) -> ElevenLabsSettings:
    return ElevenLabsSettings(api_key=KEY, base_url=emulator.base_url, voices=("voice-1", "voice-2"))


def _azure_speech(url: str) -> AzureSpeechSettings:
    return AzureSpeechSettings(api_key=KEY, host=url, voices=("en-US-AvaNeural", "en-GB-RyanNeural"))


@asynccontextmanager
async def _nova() -> AsyncIterator[Pair[StreamingRecognizer]]:
    async with running(DeepgramEmulator()) as emulator:
        yield Pair(DeepgramRecognizer(_deepgram(emulator.url)), emulator)


@asynccontextmanager
async def _flux() -> AsyncIterator[Pair[StreamingRecognizer]]:
    async with running(DeepgramEmulator()) as emulator:
        yield Pair(FluxRecognizer(_deepgram(emulator.url)), emulator)


@asynccontextmanager
async def _scribe() -> AsyncIterator[Pair[StreamingRecognizer]]:
    async with running(ElevenLabsEmulator()) as emulator:
        yield Pair(ScribeRecognizer(_elevenlabs(emulator)), emulator)


@asynccontextmanager
async def _openai_realtime() -> AsyncIterator[Pair[StreamingRecognizer]]:
    async with running(OpenAiRealtimeEmulator()) as emulator:
        recognizer = OpenAiRealtimeRecognizer(OpenAiAccess(emulator.base_url, KEY), OpenAiSpeechSettings())
        yield Pair(recognizer, emulator, recognizer.aclose)


@asynccontextmanager
async def _openai() -> AsyncIterator[Pair[Recognizer]]:
    async with running(OpenAiSoundEmulator()) as emulator:
        recognizer = OpenAiRecognizer(OpenAiAccess(emulator.base_url, KEY), OpenAiSpeechSettings())
        yield Pair(recognizer, emulator, recognizer.aclose)


@asynccontextmanager
async def _aura() -> AsyncIterator[Pair[StreamingSynthesizer]]:
    async with running(DeepgramEmulator()) as emulator:
        yield Pair(AuraSynthesizer(_deepgram(emulator.url)), emulator)


@asynccontextmanager
async def _elevenlabs_voice() -> AsyncIterator[Pair[StreamingSynthesizer]]:
    async with running(ElevenLabsEmulator()) as emulator:
        yield Pair(ElevenLabsSynthesizer(_elevenlabs(emulator)), emulator)


@asynccontextmanager
async def _openai_speech() -> AsyncIterator[Pair[Synthesizer]]:
    async with running(OpenAiSoundEmulator()) as emulator:
        synthesizer = OpenAiSynthesizer(OpenAiAccess(emulator.base_url, KEY), OpenAiSpeechSettings())
        yield Pair(synthesizer, emulator, synthesizer.aclose)


@asynccontextmanager
async def _azure() -> AsyncIterator[Pair[StreamingRecognizer]]:
    async with running(AzureEmulator()) as emulator:
        workers = Workers("azure", threads=4, queue=16)
        yield Pair(AzureRecognizer(_azure_speech(emulator.url), workers=workers), emulator, workers.close, _AZURE_S)


@asynccontextmanager
async def _azure_voice() -> AsyncIterator[Pair[StreamingSynthesizer]]:
    async with running(AzureEmulator()) as emulator:
        workers = Workers("azure", threads=4, queue=16)
        yield Pair(AzureSynthesizer(_azure_speech(emulator.url), workers=workers), emulator, workers.close, _AZURE_S)


#: Those that listen along while the learner speaks.
LISTENERS: dict[str, Opens[StreamingRecognizer]] = {
    "azure": _azure,
    "deepgram": _nova,
    "deepgram_flux": _flux,
    "elevenlabs": _scribe,
    "openai_realtime": _openai_realtime,
}
RECOGNIZERS: dict[str, Opens[Recognizer]] = {**LISTENERS, "openai": _openai}
#: Those that speak a whole reply over one connection.
VOICES: dict[str, Opens[StreamingSynthesizer]] = {
    "azure": _azure_voice,
    "deepgram": _aura,
    "elevenlabs": _elevenlabs_voice,
}
SYNTHESIZERS: dict[str, Opens[Synthesizer]] = {**VOICES, "openai": _openai_speech}
