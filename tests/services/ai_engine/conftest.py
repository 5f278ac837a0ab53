"""The real models, loaded once for all tests, and the speech to try them on."""

import asyncio
from collections.abc import Iterator

import pytest

from mesh.settings import load
from mesh.workers import Workers
from services.ai_engine.models import ModelSettings, locate
from services.ai_engine.providers.hibari import HibariSynthesizer
from services.ai_engine.providers.smart_turn import SmartTurnEnd
from services.ai_engine.providers.whisper import WhisperRecognizer


@pytest.fixture(scope="session")
def models() -> ModelSettings:
    # A missing model fails the tests with the command that fetches it; they are never skipped.
    settings = load(ModelSettings)
    for name in ("whisper", "smart_turn", "silero"):
        locate(name, settings)
    return settings


@pytest.fixture(scope="session")
def workers() -> Iterator[Workers]:
    pool = Workers("test-inference", threads=2, queue=64)
    yield pool
    asyncio.run(pool.close())


@pytest.fixture(scope="session")
def synthesizer(workers: Workers) -> HibariSynthesizer:
    return HibariSynthesizer.load(workers=workers)


@pytest.fixture(scope="session")
def recognizer(models: ModelSettings, workers: Workers) -> WhisperRecognizer:
    return WhisperRecognizer.load(locate("whisper", models), workers=workers)


@pytest.fixture(scope="session")
def turn_end(models: ModelSettings, workers: Workers) -> SmartTurnEnd:
    return SmartTurnEnd.load(locate("smart_turn", models), workers=workers)
