"""Opens the providers that come with Vivavoce; the entry points in `pyproject.toml` name these.

Each imports its provider only when it is opened: an import may take a second and a hundred megabytes.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace

from mesh.workers import Workers
from services.ai_engine.domain.roles import (
    HEARING_RATE_HZ,
    VAD_WINDOW_SAMPLES,
    LanguageModel,
    Recognizer,
    Synthesizer,
    TurnEnd,
)
from services.ai_engine.domain.speech_edges import Cadence
from services.ai_engine.domain.voice import SpeechToSpeech
from services.ai_engine.engines.perception import Ear
from services.ai_engine.models import locate
from services.ai_engine.registry import Premises, WholeEngine

_WINDOW_MS = VAD_WINDOW_SAMPLES * 1000 // HEARING_RATE_HZ


@asynccontextmanager
async def silero(premises: Premises) -> AsyncIterator[Ear]:
    """The Silero voice activity model."""
    from services.ai_engine.providers.silero import SileroVoiceActivity

    settings = premises.settings
    path = locate("silero", premises.models)
    activity = await asyncio.to_thread(lambda: SileroVoiceActivity.load(path, queue=settings.voice_activity_queue))
    async with activity:
        yield Ear(activity, replace(Cadence(), hang_windows=max(1, settings.hang_ms // _WINDOW_MS)))


@asynccontextmanager
async def smart_turn(premises: Premises) -> AsyncIterator[TurnEnd]:
    """The Smart Turn model."""
    from services.ai_engine.providers.smart_turn import SmartTurnEnd

    settings = premises.settings
    path = locate("smart_turn", premises.models)
    async with Workers("turn end", threads=settings.turn_end_threads, queue=settings.turn_end_queue) as workers:
        yield await asyncio.to_thread(lambda: SmartTurnEnd.load(path, workers=workers))


@asynccontextmanager
async def whisper(premises: Premises) -> AsyncIterator[Recognizer]:
    """A Whisper model in CTranslate2."""
    from services.ai_engine.providers.whisper import WhisperRecognizer

    settings = premises.settings
    folder = locate("whisper", premises.models)
    async with Workers("recogniser", threads=settings.recognitions, queue=settings.recognition_queue) as workers:
        yield await asyncio.to_thread(
            lambda: WhisperRecognizer.load(
                folder, workers=workers, threads=settings.recognizer_threads, sessions=settings.recognitions
            )
        )


@asynccontextmanager
async def hibari(premises: Premises) -> AsyncIterator[Synthesizer]:
    """The hibari voice."""
    from services.ai_engine.providers.hibari import HibariSynthesizer

    settings = premises.settings
    async with Workers("synthesizer", threads=settings.synthesis_threads, queue=settings.synthesis_queue) as workers:
        yield await asyncio.to_thread(lambda: HibariSynthesizer.load(workers=workers))


@asynccontextmanager
async def scenario(premises: Premises) -> AsyncIterator[LanguageModel]:
    """The tutor that plays scripted role-plays."""
    from services.ai_engine.providers.scenario_tutor import ScenarioTutor

    settings = premises.settings
    tutor = await asyncio.to_thread(lambda: ScenarioTutor.load(premises.scripts, feedback=settings.feedback))
    try:
        yield tutor
    finally:
        await tutor.aclose()


@asynccontextmanager
async def llama(premises: Premises) -> AsyncIterator[LanguageModel]:
    """A GGUF model in this process."""
    from services.ai_engine.providers.llama import LlamaOptions, LlamaTutor

    options = LlamaOptions(threads=premises.settings.llama_threads)
    path = locate("llama", premises.models)
    tutor = await asyncio.to_thread(LlamaTutor.load, path, premises.scripts, options)
    try:
        yield tutor
    finally:
        await tutor.aclose()


@asynccontextmanager
async def openai(premises: Premises) -> AsyncIterator[LanguageModel]:
    """A model behind an OpenAI-compatible endpoint, which is not called before the first reply."""
    from services.ai_engine.providers.openai import OpenAiEndpoint, OpenAiTutor

    settings = premises.settings
    endpoint = OpenAiEndpoint(
        settings.openai_base_url,
        settings.openai_model,
        settings.openai_api_key,
        corrections=settings.model_corrections and settings.feedback,
        prompt_tokens=settings.prompt_tokens,
    )
    async with aclosing(OpenAiTutor(endpoint, premises.scripts)) as tutor:
        yield tutor


@asynccontextmanager
async def compatible(premises: Premises) -> AsyncIterator[LanguageModel]:
    """A model behind another OpenAI-compatible endpoint, so that one may stand in for the other."""
    from services.ai_engine.providers.openai import OpenAiEndpoint, OpenAiTutor

    settings = premises.settings
    endpoint = OpenAiEndpoint(
        settings.compatible_base_url,
        settings.compatible_model,
        settings.compatible_api_key,
        name="compatible",
        corrections=settings.model_corrections and settings.feedback,
        prompt_tokens=settings.prompt_tokens,
    )
    async with aclosing(OpenAiTutor(endpoint, premises.scripts)) as tutor:
        yield tutor


@asynccontextmanager
async def anthropic(premises: Premises) -> AsyncIterator[LanguageModel]:
    """Claude, which is not called before the first reply."""
    from services.ai_engine.providers.anthropic import ClaudeOptions, ClaudeTutor

    settings = premises.settings
    options = ClaudeOptions(
        settings.anthropic_model,
        settings.anthropic_api_key,
        settings.anthropic_base_url,
        corrections=settings.model_corrections and settings.feedback,
        prompt_tokens=settings.prompt_tokens,
    )
    async with aclosing(ClaudeTutor(options, premises.scripts)) as tutor:
        yield tutor


@asynccontextmanager
async def openai_realtime(premises: Premises) -> AsyncIterator[SpeechToSpeech]:
    """A Realtime model, which is not called before the first session."""
    from services.ai_engine.providers.openai_realtime import OpenAiRealtime, RealtimeOptions

    settings = premises.settings
    options = RealtimeOptions(
        settings.realtime_base_url,
        settings.realtime_model,
        settings.realtime_api_key or settings.openai_api_key,
        settings.realtime_transcription_model,
        longest_s=settings.realtime_longest_s,
    )
    async with aclosing(OpenAiRealtime(options)) as voice:
        yield voice


@asynccontextmanager
async def azure_voice_live(premises: Premises) -> AsyncIterator[SpeechToSpeech]:
    """Azure Voice Live, which is not called before the first session."""
    from services.ai_engine.providers.azure_voice_live import AzureVoiceLive, VoiceLiveOptions

    settings = premises.settings
    options = VoiceLiveOptions(
        settings.voice_live_endpoint,
        settings.voice_live_model,
        settings.voice_live_api_key,
        settings.voice_live_voices,
        longest_s=settings.voice_live_longest_s,
    )
    async with aclosing(AzureVoiceLive(options)) as voice:
        yield voice


@asynccontextmanager
async def instant_voice_activity(premises: Premises) -> AsyncIterator[Ear]:
    """The stub that hears by loudness."""
    from services.ai_engine.providers.instant import CADENCE, InstantVoiceActivity

    yield Ear(InstantVoiceActivity(), CADENCE)


@asynccontextmanager
async def instant_turn_end(premises: Premises) -> AsyncIterator[TurnEnd]:
    """The stub that takes every pause for the end."""
    from services.ai_engine.providers.instant import InstantTurnEnd

    yield InstantTurnEnd()


@asynccontextmanager
async def instant_recognizer(premises: Premises) -> AsyncIterator[Recognizer]:
    """The stub that hears the same in everything, but for the lines it is told."""
    from services.ai_engine.providers.instant import InstantRecognizer

    yield InstantRecognizer(premises.settings.lines())


@asynccontextmanager
async def instant_language_model(premises: Premises) -> AsyncIterator[LanguageModel]:
    """The stub that answers the same to everything."""
    from services.ai_engine.providers.instant import InstantLanguageModel

    yield InstantLanguageModel()


@asynccontextmanager
async def instant_synthesizer(premises: Premises) -> AsyncIterator[Synthesizer]:
    """The stub that hums."""
    from services.ai_engine.providers.instant import InstantSynthesizer

    yield InstantSynthesizer()


@asynccontextmanager
async def echo(premises: Premises) -> AsyncIterator[WholeEngine]:
    """The engine that gives back what it hears."""
    from services.ai_engine.engines.echo import EchoEngine

    yield EchoEngine()
