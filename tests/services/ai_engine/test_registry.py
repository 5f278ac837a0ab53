from dataclasses import replace
from importlib.metadata import entry_points

import pytest

from mesh.clock import SystemClock
from mesh.errors import InvalidFieldError, PreconditionError
from mesh.settings import load
from services.ai_engine.assembly import engine_for
from services.ai_engine.domain.roles import Capabilities
from services.ai_engine.domain.run import Configure, Configured, Selection
from services.ai_engine.engines.echo import EchoEngine
from services.ai_engine.engines.perception import Ear
from services.ai_engine.models import ModelSettings
from services.ai_engine.providers.instant import CADENCE, InstantRecognizer, InstantTurnEnd, InstantVoiceActivity
from services.ai_engine.providers.instant import InstantLanguageModel as Model
from services.ai_engine.providers.instant import InstantSynthesizer as Voice
from services.ai_engine.registry import GROUPS, Premises, Providers, open_providers
from services.ai_engine.settings import Settings


class EnglishRecognizer(InstantRecognizer):
    capabilities = Capabilities(languages=frozenset({"en"}), local=True, label="English only.")


_PROVIDERS = Providers(
    recognizers={"english": EnglishRecognizer(), "any": InstantRecognizer()},
    language_models={"model": Model()},
    synthesizers={"voice": Voice()},
    speech_to_speech={},
    engines={"echo": EchoEngine()},
    ear=Ear(InstantVoiceActivity(), CADENCE),
    turn_end=InstantTurnEnd(),
)


def _chosen(selection: Selection, language: str = "en", providers: Providers = _PROVIDERS) -> Configured:
    configure = Configure(selection, 16_000, 24_000, language)
    return engine_for(configure, providers, clock=SystemClock()).configured(configure)


def _stubs(**overrides: object) -> Settings:
    return load(
        Settings,
        {},
        **{
            "recognizers": ("instant",),
            "language_models": ("instant",),
            "synthesizers": ("instant",),
            "voice_activity": "instant",
            "turn_end": "instant",
            **overrides,
        },
    )


def _premises(settings: Settings) -> Premises:
    return Premises(settings, load(ModelSettings, {}), {})


def test_the_first_of_each_role_is_used_where_none_is_named() -> None:
    configured = _chosen(Selection())
    assert configured.selection == Selection("pipelined", "english", "model", "voice", "", "tone", 1.0)
    assert configured.labels[0] == "English only."
    assert configured.local


def test_a_provider_that_knows_the_language_is_used_where_the_first_does_not() -> None:
    assert _chosen(Selection(), "fr-CA").selection.recognizer == "any"


def test_an_unknown_name_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(PreconditionError, match=r"configured: english \(en\), any \(any language\)") as refused:
        _chosen(Selection(recognizer="vosk"))
    assert (refused.value.reason, refused.value.field) == ("PROVIDER_MISSING", "configure.engine.recognizer")


def test_a_named_provider_that_does_not_know_the_language_is_refused() -> None:
    with pytest.raises(PreconditionError, match="knows the language 'fr'") as refused:
        _chosen(Selection(recognizer="english"), "fr")
    assert refused.value.reason == "PROVIDER_MISSING"


def test_a_voice_the_synthesizer_does_not_have_is_refused() -> None:
    with pytest.raises(InvalidFieldError, match="tone") as refused:
        _chosen(Selection(voice="nobody"))
    assert refused.value.field == "configure.engine.voice"


def test_a_unified_engine_is_chosen_by_kind() -> None:
    assert _chosen(Selection(kind="unified", speech_to_speech="echo")).selection == Selection(
        "unified", speech_to_speech="echo"
    )


def test_a_kind_nobody_provides_is_refused() -> None:
    with pytest.raises(PreconditionError, match="configured: none"):
        _chosen(Selection(kind="unified"), providers=replace(_PROVIDERS, engines={}))


async def test_only_what_the_settings_name_is_opened() -> None:
    async with open_providers(_premises(_stubs())) as providers:
        assert [(entry.role, entry.name, entry.default) for entry in providers.entries()] == [
            ("recognizer", "instant", True),
            ("language_model", "instant", True),
            ("synthesizer", "instant", True),
        ]


async def test_stubs_for_measurements_come_after_the_defaults() -> None:
    settings = _stubs(language_models=("scenario",), bench_providers=True)
    async with open_providers(_premises(settings)) as providers:
        assert list(providers.language_models) == ["scenario", "instant"]
        assert list(providers.recognizers) == ["instant"]
        assert list(providers.engines) == ["echo"]


async def test_a_model_elsewhere_is_opened_without_calling_it() -> None:
    settings = _stubs(language_models=("openai",), openai_base_url="http://127.0.0.1:9/v1", openai_model="tiny")
    async with open_providers(_premises(settings)) as providers:
        (entry,) = (each for each in providers.entries() if each.role == "language_model")
    assert (entry.name, entry.capabilities.local) == ("openai", False)


async def test_a_setting_that_names_what_is_not_installed_is_refused() -> None:
    with pytest.raises(PreconditionError, match=r"No synthesizer called 'bell' is installed; installed: .*hibari"):
        async with open_providers(_premises(_stubs(synthesizers=("bell",)))):
            pass


@pytest.mark.parametrize("group", GROUPS.values())
def test_every_provider_that_comes_with_us_can_be_imported(group: str) -> None:
    assert all(callable(entry.load()) for entry in entry_points(group=group))
