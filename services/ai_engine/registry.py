"""Finds providers by name, opens those that are wanted, and makes an engine of them for each session.

A provider is installed by one line in a package's metadata: an entry point in the group of its role, which names an
`Opener`. Nothing is imported that the settings do not name.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any, Final, Literal, Protocol, TypeVar

from mesh.clock import Clock
from mesh.errors import InvalidFieldError, PreconditionError
from services.ai_engine.domain.roles import Capabilities, LanguageModel, Recognizer, Synthesizer, TurnEnd
from services.ai_engine.domain.run import Configure, Engine, Selection, SpeechToSpeech
from services.ai_engine.engines.perception import Ear
from services.ai_engine.engines.pipelined import Parts, PipelinedEngine
from services.ai_engine.models import ModelSettings
from services.ai_engine.settings import Settings
from services.ai_engine.tutor.script import Script

#: The entry-point groups, by what people call the role.
GROUPS: Final[Mapping[str, str]] = {
    "recognizer": "vivavoce.recognizers",
    "language model": "vivavoce.language_models",
    "synthesizer": "vivavoce.synthesizers",
    "speech-to-speech provider": "vivavoce.speech_to_speech",
    "voice activity detection": "vivavoce.voice_activity",
    "turn end detection": "vivavoce.turn_end",
}

BENCH: Final = "instant"
BENCH_UNIFIED: Final = "echo"

ProviderRole = Literal["recognizer", "language_model", "synthesizer", "speech_to_speech"]


@dataclass(frozen=True, slots=True)
class Premises:
    """What a provider may look at while it opens."""

    settings: Settings
    models: ModelSettings
    #: The role-plays by id, for language models that improvise on them.
    scripts: Mapping[str, Script]


class Provider(Protocol):
    """What all providers have in common."""

    capabilities: Capabilities


P = TypeVar("P")
R = TypeVar("R", bound=Provider)

#: Opens a provider, warm, for the length of the block. It raises ProviderError where it can't.
Opener = Callable[[Premises], AbstractAsyncContextManager[P]]


@dataclass(frozen=True, slots=True)
class ProviderEntry:
    """One provider as people may choose it."""

    name: str
    role: ProviderRole
    capabilities: Capabilities
    default: bool


@dataclass(frozen=True, slots=True)
class Providers:
    """The providers that are open, by the names they are selected by, each role's default first."""

    recognizers: Mapping[str, Recognizer]
    language_models: Mapping[str, LanguageModel]
    synthesizers: Mapping[str, Synthesizer]
    speech_to_speech: Mapping[str, SpeechToSpeech]
    ear: Ear
    turn_end: TurnEnd

    def entries(self) -> tuple[ProviderEntry, ...]:
        """All of them, by role and name."""
        roles: tuple[tuple[ProviderRole, Mapping[str, Provider]], ...] = (
            ("recognizer", self.recognizers),
            ("language_model", self.language_models),
            ("synthesizer", self.synthesizers),
            ("speech_to_speech", self.speech_to_speech),
        )
        return tuple(
            ProviderEntry(name, role, provider.capabilities, default=name == next(iter(providers)))
            for role, providers in roles
            for name, provider in sorted(providers.items())
        )

    def synthesizer(self, name: str, voice: str, *, field: str) -> Synthesizer:
        """The synthesizer of that name, or the default, which has that voice.

        Raises PreconditionError PROVIDER_MISSING, and InvalidFieldError for a voice it does not have.
        """
        _, synthesizer = _choose(self.synthesizers, "synthesizer", name, "", field=f"{field}synthesizer")
        _check_voice(synthesizer.capabilities, voice, field=f"{field}voice")
        return synthesizer


@asynccontextmanager
async def open_providers(premises: Premises) -> AsyncIterator[Providers]:
    """Opens what the settings name, one after another, and closes it at the end.

    Raises PreconditionError PROVIDER_MISSING for a name nobody has installed, and ProviderError where one can't open.
    """
    settings = premises.settings
    bench = (BENCH,) if settings.bench_providers else ()
    unified = (BENCH_UNIFIED,) if settings.bench_providers else ()
    async with AsyncExitStack() as stack:

        async def opened(role: str, names: Sequence[str]) -> dict[str, Any]:
            # A dict drops a name given twice and keeps the order.
            openers = {name: _opener(role, name) for name in names}
            return {name: await stack.enter_async_context(opener(premises)) for name, opener in openers.items()}

        yield Providers(
            ear=(await opened("voice activity detection", [settings.voice_activity]))[settings.voice_activity],
            turn_end=(await opened("turn end detection", [settings.turn_end]))[settings.turn_end],
            recognizers=await opened("recognizer", settings.recognizers + bench),
            language_models=await opened("language model", settings.language_models + bench),
            synthesizers=await opened("synthesizer", settings.synthesizers + bench),
            speech_to_speech=await opened("speech-to-speech provider", settings.speech_to_speech + unified),
        )


def engine_for(configure: Configure, providers: Providers, *, clock: Clock) -> Engine:
    """The engine a session asks for.

    A role without a name gets the first provider that knows the language. Raises PreconditionError PROVIDER_MISSING
    for a provider that is not configured or does not know the language, and InvalidFieldError for a voice that the
    synthesizer does not have.
    """
    wanted, language = configure.selection, configure.language.split("-")[0].lower()
    if wanted.kind == "unified":
        _, unified = _choose(
            providers.speech_to_speech,
            "speech-to-speech provider",
            wanted.speech_to_speech,
            language,
            field="configure.engine.speech_to_speech",
        )
        return unified
    recognizer, recognizes = _choose(
        providers.recognizers, "recognizer", wanted.recognizer, language, field="configure.engine.recognizer"
    )
    language_model, answers = _choose(
        providers.language_models,
        "language model",
        wanted.language_model,
        language,
        field="configure.engine.language_model",
    )
    synthesizer, speaks = _choose(
        providers.synthesizers, "synthesizer", wanted.synthesizer, language, field="configure.engine.synthesizer"
    )
    _check_voice(speaks.capabilities, wanted.voice, field="configure.engine.voice")
    selection = Selection(
        kind="pipelined",
        recognizer=recognizer,
        language_model=language_model,
        synthesizer=synthesizer,
        voice=wanted.voice or next(iter(speaks.capabilities.voices), ""),
        speaking_rate=wanted.speaking_rate,
    )
    parts = Parts(providers.ear, providers.turn_end, recognizes, answers, speaks)
    return PipelinedEngine(parts, selection, clock=clock)


def _choose(providers: Mapping[str, R], role: str, name: str, language: str, *, field: str) -> tuple[str, R]:
    """The provider called `name`, or the first, which knows `language` (empty: any)."""
    if name and name not in providers:
        raise _missing(f"There is no {role} {name!r} here; configured: {_listed(providers)}.", field)
    able = {
        each: provider
        for each, provider in providers.items()
        if name in ("", each) and (not language or language in (provider.capabilities.languages or {language}))
    }
    if not able:
        raise _missing(
            f"No {role} that is configured knows the language {language!r}; configured: {_listed(providers)}.", field
        )
    return next(iter(able.items()))


def _check_voice(capabilities: Capabilities, voice: str, *, field: str) -> None:
    if voice and voice not in capabilities.voices:
        raise InvalidFieldError(
            f"The synthesizer has no voice {voice!r}; choose one of: {', '.join(capabilities.voices)}.", field=field
        )


def _opener(role: str, name: str) -> Opener[Any]:
    installed = entry_points(group=GROUPS[role])
    if name not in installed.names:
        raise PreconditionError(
            f"No {role} called {name!r} is installed; installed: {', '.join(sorted(installed.names)) or 'none'}. "
            "Correct the settings, or install the package that brings it.",
            reason="PROVIDER_MISSING",
            metadata={"provider": name},
        )
    opener: Opener[Any] = installed[name].load()
    return opener


def _missing(message: str, field: str) -> PreconditionError:
    return PreconditionError(message, reason="PROVIDER_MISSING", field=field)


def _listed(providers: Mapping[str, Provider]) -> str:
    shown = (
        f"{name} ({', '.join(sorted(provider.capabilities.languages)) or 'any language'})"
        for name, provider in providers.items()
    )
    return ", ".join(shown) or "none"
