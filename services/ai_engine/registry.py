"""Finds providers by name, and opens those that are wanted.

A provider is installed by one line in a package's metadata: an entry point in the group of its role, which names an
`Opener`. Nothing is imported that the settings do not name.
"""

from asyncio import TaskGroup
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from importlib.metadata import EntryPoints, distributions
from typing import Any, Final, Protocol, TypeVar

from mesh.clock import SystemClock
from mesh.errors import InvalidFieldError, PreconditionError
from services.ai_engine.adapters.beside import Granting
from services.ai_engine.adapters.chain import Health, Healths, Provider
from services.ai_engine.adapters.patience import Patience
from services.ai_engine.domain.roles import Capabilities, LanguageModel, ProviderRole, Recognizer, Synthesizer, TurnEnd
from services.ai_engine.domain.run import Engine
from services.ai_engine.domain.voice import SpeechToSpeech, TurnTaking
from services.ai_engine.engines.faults import single_error
from services.ai_engine.engines.perception import Ear
from services.ai_engine.feedback.assessor import Assessor
from services.ai_engine.feedback.judges import open_assessor
from services.ai_engine.models import ModelSettings
from services.ai_engine.prompts.prompt import Prompted
from services.ai_engine.prompts.talk import TalkPrompt
from services.ai_engine.settings import Settings
from services.ai_engine.tutor.script import Script

#: The entry-point groups, by what people call the role.
GROUPS: Final[Mapping[str, str]] = {
    "recognizer": "vivavoce.recognizers",
    "language model": "vivavoce.language_models",
    "synthesizer": "vivavoce.synthesizers",
    "speech-to-speech provider": "vivavoce.speech_to_speech",
    "engine": "vivavoce.engines",
    "voice activity detection": "vivavoce.voice_activity",
    "turn end detection": "vivavoce.turn_end",
}

BENCH: Final = "instant"
BENCH_ENGINE: Final = "echo"


@dataclass(frozen=True, slots=True)
class Premises:
    """What a provider may look at while it opens."""

    settings: Settings
    models: ModelSettings
    #: The role-plays by id, for language models that improvise on them.
    scripts: Mapping[str, Script]


P = TypeVar("P")

#: Opens a provider, warm, for the length of the block. It raises ProviderError where it can't.
Opener = Callable[[Premises], AbstractAsyncContextManager[P]]


class WholeEngine(Engine, Protocol):
    """An engine that needs no providers."""

    capabilities: Capabilities


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
    #: Who remarks on turns; None where nobody shall.
    assessor: Assessor | None = None
    #: Engines that stand on no provider, chosen like a speech-to-speech provider.
    engines: Mapping[str, WholeEngine] = field(default_factory=dict)
    prompt: TalkPrompt = field(default_factory=lambda: TalkPrompt({}))
    turn_taking: TurnTaking = "ours"
    healths: Healths = field(default_factory=lambda: Healths(SystemClock()))
    #: How long each is waited for; None where none stands in for another.
    patience: Patience | None = field(default_factory=Patience)

    def watched(self) -> tuple[tuple[Health, Provider], ...]:
        """All of them with what is known of how they do."""
        return tuple(
            (self.healths.of(role, name), provider)
            for role, among in self._roles().items()
            for name, provider in among.items()
        )

    def entries(self) -> tuple[ProviderEntry, ...]:
        """All of them, by role and name."""
        roles = self._roles() | {"speech_to_speech": {**self.speech_to_speech, **self.engines}}
        return tuple(
            ProviderEntry(name, role, provider.capabilities, default=name == next(iter(providers)))
            for role, providers in roles.items()
            for name, provider in sorted(providers.items())
        )

    def _roles(self) -> dict[ProviderRole, Mapping[str, Provider]]:
        return {
            "recognizer": self.recognizers,
            "language_model": self.language_models,
            "synthesizer": self.synthesizers,
            "speech_to_speech": self.speech_to_speech,
        }

    def prompted(self, name: str) -> tuple[str, Prompted]:
        """The language model of that name, or the first that takes prompts; without any, a large one nobody has.

        Raises PreconditionError PROVIDER_MISSING where there is none of that name, or it takes no prompts.
        """
        able = {each: model for each, model in self.language_models.items() if isinstance(model, Prompted)}
        if not name:
            return next(iter(able.items()), ("", self.prompt))
        if name not in able:
            raise provider_missing(
                f"No language model {name!r} that takes prompts is configured; there are: {', '.join(able) or 'none'}.",
                "language_model",
            )
        return name, able[name]

    @property
    def talks_freely(self) -> bool:
        """Whether who answers by default talks about anything, and not only by a script."""
        return isinstance(next(iter(self.language_models.values()), None), Prompted)

    def granting(self) -> Granting | None:
        """The first language model that answers wishes; None where there is none."""
        return next((model for model in self.language_models.values() if isinstance(model, Granting)), None)


@asynccontextmanager
async def open_providers(premises: Premises) -> AsyncIterator[Providers]:
    """Opens what the settings name, role beside role, and closes it at the end.

    Raises PreconditionError PROVIDER_MISSING for a name nobody has installed, and ProviderError where one can't open.
    """
    settings = premises.settings
    bench = (BENCH,) if settings.bench_providers else ()
    engines = (BENCH_ENGINE,) if settings.bench_providers else ()
    # Once for all: every package of the environment is asked.
    installed = EntryPoints(each for package in distributions() for each in package.entry_points)
    async with AsyncExitStack() as stack:

        async def opened(role: str, names: Sequence[str]) -> dict[str, Any]:
            # A dict drops a name given twice and keeps the order.
            openers = {name: _opener(installed, role, name) for name in names}
            return {name: await stack.enter_async_context(opener(premises)) for name, opener in openers.items()}

        # Most of opening a model leaves the interpreter free, for another to open meanwhile.
        with single_error():
            async with TaskGroup() as group:
                models = group.create_task(opened("language model", settings.language_models + bench))
                synthesizers = group.create_task(opened("synthesizer", settings.synthesizers + bench))
                recognizers = group.create_task(opened("recognizer", settings.recognizers + bench))
                ears = group.create_task(opened("voice activity detection", [settings.voice_activity]))
                turn_ends = group.create_task(opened("turn end detection", [settings.turn_end]))
                voices = group.create_task(opened("speech-to-speech provider", settings.speech_to_speech))
        assessor = open_assessor(sound_guesses=settings.sound_guesses, clock=SystemClock())
        yield Providers(
            ear=ears.result()[settings.voice_activity],
            turn_end=turn_ends.result()[settings.turn_end],
            recognizers=recognizers.result(),
            language_models=models.result(),
            synthesizers=synthesizers.result(),
            speech_to_speech=voices.result(),
            assessor=await stack.enter_async_context(assessor) if settings.feedback else None,
            engines=await opened("engine", engines),
            prompt=TalkPrompt(premises.scripts),
            turn_taking=_turn_taking(settings.unified_turn_taking),
            healths=Healths(SystemClock(), failures=settings.breaker_failures, rest_s=settings.breaker_rest_s),
            patience=Patience(first_s=settings.stand_in_after_s, within_s=settings.answer_within_s)
            if settings.stand_in
            else None,
        )


def _turn_taking(word: str) -> TurnTaking:
    match word:
        case "ours" | "theirs":
            return word
        case _:
            raise InvalidFieldError(
                "VIVAVOCE_AI_ENGINE_UNIFIED_TURN_TAKING must be `ours` or `theirs`.", field="unified_turn_taking"
            )


def _opener(installed: EntryPoints, role: str, name: str) -> Opener[Any]:
    of_role = installed.select(group=GROUPS[role])
    if name not in of_role.names:
        raise PreconditionError(
            f"No {role} called {name!r} is installed; installed: {', '.join(sorted(of_role.names)) or 'none'}. "
            "Correct the settings, or install the package that brings it.",
            reason="PROVIDER_MISSING",
            metadata={"provider": name},
        )
    opener: Opener[Any] = of_role[name].load()
    return opener


def provider_missing(message: str, field: str) -> PreconditionError:
    """The error for a provider that is not configured, or does not know the language."""
    return PreconditionError(message, reason="PROVIDER_MISSING", field=field)
