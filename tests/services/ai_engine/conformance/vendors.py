"""Every recogniser and synthesizer of a vendor, each with the emulator that it speaks to."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

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


class Opens(Protocol[P]):
    """Opens a provider and the emulator it speaks to, whose connection may be cut after so many bytes."""

    def __call__(self, cut_after: int | None = None) -> AbstractAsyncContextManager[Pair[P]]:
        """For the length of a block."""
        ...


def _deepgram(url: str) -> DeepgramSettings:
    return DeepgramSettings(api_key=KEY, base_url=url, voices=("aura-2-thalia-en", "aura-2-orion-en"))


def _elevenlabs(emulator: ElevenLabsEmulator) -> ElevenLabsSettings:
    return ElevenLabsSettings(api_key=KEY, base_url=emulator.base_url, voices=("voice-1", "voice-2"))


def _azure_speech(url: str) -> AzureSpeechSettings:
    return AzureSpeechSettings(api_key=KEY, host=url, voices=("en-US-AvaNeural", "en-GB-RyanNeural"))


@asynccontextmanager
async def _nova(cut_after: int | None = None) -> AsyncIterator[Pair[StreamingRecognizer]]:
    async with running(DeepgramEmulator(cut_after=cut_after)) as emulator:
        yield Pair(DeepgramRecognizer(_deepgram(emulator.url)), emulator)


@asynccontextmanager
async def _flux(cut_after: int | None = None) -> AsyncIterator[Pair[StreamingRecognizer]]:
    async with running(DeepgramEmulator(cut_after=cut_after)) as emulator:
        yield Pair(FluxRecognizer(_deepgram(emulator.url)), emulator)


@asynccontextmanager
async def _scribe(cut_after: int | None = None) -> AsyncIterator[Pair[StreamingRecognizer]]:
    async with running(ElevenLabsEmulator(cut_after=cut_after)) as emulator:
        yield Pair(ScribeRecognizer(_elevenlabs(emulator)), emulator)


@asynccontextmanager
async def _openai_realtime(cut_after: int | None = None) -> AsyncIterator[Pair[StreamingRecognizer]]:
    async with running(OpenAiRealtimeEmulator(cut_after=cut_after)) as emulator:
        recognizer = OpenAiRealtimeRecognizer(OpenAiAccess(emulator.base_url, KEY), OpenAiSpeechSettings())
        yield Pair(recognizer, emulator, recognizer.aclose)


@asynccontextmanager
async def _openai(cut_after: int | None = None) -> AsyncIterator[Pair[Recognizer]]:
    async with running(OpenAiSoundEmulator(cut_after=cut_after)) as emulator:
        recognizer = OpenAiRecognizer(OpenAiAccess(emulator.base_url, KEY), OpenAiSpeechSettings())
        yield Pair(recognizer, emulator, recognizer.aclose)


@asynccontextmanager
async def _aura(cut_after: int | None = None) -> AsyncIterator[Pair[StreamingSynthesizer]]:
    async with running(DeepgramEmulator(cut_after=cut_after)) as emulator:
        yield Pair(AuraSynthesizer(_deepgram(emulator.url)), emulator)


@asynccontextmanager
async def _elevenlabs_voice(cut_after: int | None = None) -> AsyncIterator[Pair[StreamingSynthesizer]]:
    async with running(ElevenLabsEmulator(cut_after=cut_after)) as emulator:
        yield Pair(ElevenLabsSynthesizer(_elevenlabs(emulator)), emulator)


@asynccontextmanager
async def _openai_speech(cut_after: int | None = None) -> AsyncIterator[Pair[Synthesizer]]:
    async with running(OpenAiSoundEmulator(cut_after=cut_after)) as emulator:
        synthesizer = OpenAiSynthesizer(OpenAiAccess(emulator.base_url, KEY), OpenAiSpeechSettings())
        yield Pair(synthesizer, emulator, synthesizer.aclose)


@asynccontextmanager
async def _azure(cut_after: int | None = None) -> AsyncIterator[Pair[StreamingRecognizer]]:
    async with running(AzureEmulator(cut_after=cut_after)) as emulator:
        workers = Workers("azure", threads=4, queue=16)
        yield Pair(AzureRecognizer(_azure_speech(emulator.url), workers=workers), emulator, workers.close, _AZURE_S)


@asynccontextmanager
async def _azure_voice(cut_after: int | None = None) -> AsyncIterator[Pair[StreamingSynthesizer]]:
    async with running(AzureEmulator(cut_after=cut_after)) as emulator:
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
