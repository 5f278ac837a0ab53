"""Vendors are opened by name from the settings, and none is called before it is used."""

import pytest

from mesh.errors import PreconditionError
from mesh.settings import load
from services.ai_engine.domain.roles import StreamingRecognizer, StreamingSynthesizer
from services.ai_engine.models import ModelSettings
from services.ai_engine.registry import Premises, open_providers
from services.ai_engine.settings import Settings

_RECOGNIZERS = ("azure", "deepgram", "deepgram_flux", "elevenlabs", "openai", "openai_realtime")
_SYNTHESIZERS = ("azure", "deepgram", "elevenlabs", "openai")
_NOWHERE = "127.0.0.1:9"


def _premises(*, recognizers: tuple[str, ...] = ("instant",), synthesizers: tuple[str, ...] = ("instant",)) -> Premises:
    settings = Settings(
        recognizers=recognizers,
        language_models=("instant",),
        synthesizers=synthesizers,
        voice_activity="instant",
        turn_end="instant",
        openai_base_url=f"http://{_NOWHERE}/v1",
    )
    return Premises(settings, load(ModelSettings), {})


async def test_every_vendor_opens_by_name_and_says_what_it_can_do(monkeypatch: pytest.MonkeyPatch) -> None:
    for vendor in ("DEEPGRAM", "ELEVENLABS", "AZURE"):
        monkeypatch.setenv(f"VIVAVOCE_AI_ENGINE_{vendor}_API_KEY", "key-1")
    monkeypatch.setenv("VIVAVOCE_AI_ENGINE_AZURE_HOST", f"ws://{_NOWHERE}")
    async with open_providers(_premises(recognizers=_RECOGNIZERS, synthesizers=_SYNTHESIZERS)) as opened:
        for hears in opened.recognizers.values():
            assert hears.capabilities.streams_in == isinstance(hears, StreamingRecognizer)
        for speaks in opened.synthesizers.values():
            assert speaks.capabilities.streams_in == isinstance(speaks, StreamingSynthesizer)
            assert speaks.capabilities.sample_rate_hz == 24_000
        assert not any(each.capabilities.local for each in opened.recognizers.values())


@pytest.mark.parametrize(
    ("premises", "variable"),
    [
        (_premises(recognizers=("deepgram",)), "VIVAVOCE_AI_ENGINE_DEEPGRAM_API_KEY"),
        (_premises(synthesizers=("elevenlabs",)), "VIVAVOCE_AI_ENGINE_ELEVENLABS_API_KEY"),
        (_premises(synthesizers=("azure",)), "VIVAVOCE_AI_ENGINE_AZURE_API_KEY"),
    ],
)
async def test_a_vendor_without_its_key_does_not_open_and_names_the_setting(premises: Premises, variable: str) -> None:
    with pytest.raises(PreconditionError) as refused:
        async with open_providers(premises):
            pass
    assert variable in refused.value.message
