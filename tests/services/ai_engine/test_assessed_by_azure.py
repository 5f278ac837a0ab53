"""Azure's scores, from its wire to the remark: who scored is named, and nothing is guessed beside them."""

from collections.abc import AsyncIterator

import pytest

from mesh.clock import SystemClock
from mesh.settings import load
from services.ai_engine.assembly import engine_for
from services.ai_engine.domain.remarks import Pronunciation
from services.ai_engine.domain.run import (
    AppendAudio,
    Assess,
    Configure,
    Recognize,
    RemarkFound,
    Selection,
    TranscriptRevised,
)
from services.ai_engine.models import ModelSettings
from services.ai_engine.registry import Premises, Providers, open_providers
from services.ai_engine.settings import Settings
from tests.emulators.azure import AzureEmulator
from tests.emulators.speech import FRAME, HEARD
from tests.emulators.vendor import running
from tests.services.ai_engine.scripted import Listener


@pytest.fixture
async def providers(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Providers]:
    settings = Settings(
        recognizers=("instant", "azure"),
        language_models=("instant",),
        synthesizers=("instant",),
        voice_activity="instant",
        turn_end="instant",
    )
    async with running(AzureEmulator(accuracy=31.0)) as emulator:
        monkeypatch.setenv("VIVAVOCE_AI_ENGINE_AZURE_API_KEY", emulator.key)
        monkeypatch.setenv("VIVAVOCE_AI_ENGINE_AZURE_HOST", emulator.url)
        async with open_providers(Premises(settings, load(ModelSettings), {})) as opened:
            yield opened


async def test_words_that_azure_scored_low_are_told_in_its_name(providers: Providers) -> None:
    configure = Configure(Selection(recognizer="azure"), 16_000, 24_000)
    listener = Listener()
    async with engine_for(configure, providers, clock=SystemClock()).open(configure, listener.emit) as session:
        await session.handle(AppendAudio(0, FRAME * 50))
        await session.handle(Recognize("trn_1", 1, 0, 16_000))
        (heard,) = await listener.until(TranscriptRevised)
        await session.handle(Assess("trn_1", 1, heard.text, heard.words, 0, 16_000))
        found = await listener.until(RemarkFound, 2)
    (remark,) = [each.remark for each in found if isinstance(each.remark, Pronunciation)]
    assert (remark.source, remark.approximate) == ("azure", False)
    assert [(word.word, word.score) for word in remark.words] == [(word, 0.31) for word in HEARD.split()[:3]]
