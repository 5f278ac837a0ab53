"""Opens the vendors that hear and speak; the entry points in `pyproject.toml` name these.

None is called before it is used. Each reads its own settings, and says which extra to install where its SDK is missing.
"""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Final

from mesh.settings import load
from mesh.workers import Workers
from services.ai_engine.adapters.faults_of_vendors import Faults
from services.ai_engine.domain.roles import Recognizer, Synthesizer
from services.ai_engine.registry import Premises
from services.ai_engine.vendors import AzureSpeechSettings, DeepgramSettings, ElevenLabsSettings, OpenAiSpeechSettings

#: Azure's SDK blocks while it connects and closes, which is a few milliseconds where nothing is wrong.
_AZURE_THREADS: Final = 4
_AZURE_QUEUE: Final = 64


@asynccontextmanager
async def azure_recognizer(premises: Premises) -> AsyncIterator[Recognizer]:
    """Azure's recognition."""
    with Faults("azure", "Azure Speech").imported("azure"):
        from services.ai_engine.providers.azure_recognizer import AzureRecognizer

    async with Workers("azure recogniser", threads=_AZURE_THREADS, queue=_AZURE_QUEUE) as workers:
        yield AzureRecognizer(load(AzureSpeechSettings), workers=workers)


@asynccontextmanager
async def azure_synthesizer(premises: Premises) -> AsyncIterator[Synthesizer]:
    """Azure's voices."""
    with Faults("azure", "Azure Speech").imported("azure"):
        from services.ai_engine.providers.azure_synthesizer import AzureSynthesizer

    async with Workers("azure voice", threads=_AZURE_THREADS, queue=_AZURE_QUEUE) as workers:
        yield AzureSynthesizer(load(AzureSpeechSettings), workers=workers)


@asynccontextmanager
async def deepgram(premises: Premises) -> AsyncIterator[Recognizer]:
    """Deepgram's Nova models."""
    with Faults("deepgram", "Deepgram").imported("deepgram"):
        from services.ai_engine.providers.deepgram import DeepgramRecognizer

    yield DeepgramRecognizer(load(DeepgramSettings))


@asynccontextmanager
async def deepgram_flux(premises: Premises) -> AsyncIterator[Recognizer]:
    """Deepgram's Flux models."""
    with Faults("deepgram_flux", "Deepgram").imported("deepgram"):
        from services.ai_engine.providers.deepgram_flux import FluxRecognizer

    yield FluxRecognizer(load(DeepgramSettings))


@asynccontextmanager
async def deepgram_aura(premises: Premises) -> AsyncIterator[Synthesizer]:
    """Deepgram's Aura voices."""
    with Faults("deepgram", "Deepgram").imported("deepgram"):
        from services.ai_engine.providers.deepgram_aura import AuraSynthesizer

    yield AuraSynthesizer(load(DeepgramSettings))


@asynccontextmanager
async def elevenlabs_recognizer(premises: Premises) -> AsyncIterator[Recognizer]:
    """ElevenLabs' Scribe."""
    with Faults("elevenlabs", "ElevenLabs").imported("elevenlabs"):
        from services.ai_engine.providers.elevenlabs_recognizer import ScribeRecognizer

    yield ScribeRecognizer(load(ElevenLabsSettings))


@asynccontextmanager
async def elevenlabs_synthesizer(premises: Premises) -> AsyncIterator[Synthesizer]:
    """ElevenLabs' voices."""
    with Faults("elevenlabs", "ElevenLabs").imported("elevenlabs"):
        from services.ai_engine.providers.elevenlabs_synthesizer import ElevenLabsSynthesizer

    yield ElevenLabsSynthesizer(load(ElevenLabsSettings))


@asynccontextmanager
async def openai_transcription(premises: Premises) -> AsyncIterator[Recognizer]:
    """OpenAI's transcriptions, at the endpoint of the language model."""
    from services.ai_engine.adapters.openai_client import OpenAiAccess
    from services.ai_engine.providers.openai_transcription import OpenAiRecognizer

    access = OpenAiAccess(premises.settings.openai_base_url, premises.settings.openai_api_key)
    async with aclosing(OpenAiRecognizer(access, load(OpenAiSpeechSettings))) as recognizer:
        yield recognizer


@asynccontextmanager
async def openai_realtime_transcription(premises: Premises) -> AsyncIterator[Recognizer]:
    """OpenAI's Realtime transcription sessions, at the endpoint of the language model."""
    from services.ai_engine.adapters.openai_client import OpenAiAccess
    from services.ai_engine.providers.openai_realtime_transcription import OpenAiRealtimeRecognizer

    access = OpenAiAccess(premises.settings.openai_base_url, premises.settings.openai_api_key)
    async with aclosing(OpenAiRealtimeRecognizer(access, load(OpenAiSpeechSettings))) as recognizer:
        yield recognizer


@asynccontextmanager
async def openai_speech(premises: Premises) -> AsyncIterator[Synthesizer]:
    """OpenAI's voices, at the endpoint of the language model."""
    from services.ai_engine.adapters.openai_client import OpenAiAccess
    from services.ai_engine.providers.openai_speech import OpenAiSynthesizer

    access = OpenAiAccess(premises.settings.openai_base_url, premises.settings.openai_api_key)
    async with aclosing(OpenAiSynthesizer(access, load(OpenAiSpeechSettings))) as synthesizer:
        yield synthesizer
