"""Makes an engine for each session, of the providers it asks for and those that stand in for them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from mesh.clock import Clock
from mesh.errors import InvalidFieldError, PreconditionError
from services.ai_engine.adapters.chain import TITLES, Chain, Link, Provider, Tell, untold
from services.ai_engine.adapters.failover_hearing import failover_recognizer
from services.ai_engine.adapters.failover_model import FailoverModel
from services.ai_engine.adapters.failover_voice import failover_voice
from services.ai_engine.adapters.paid import PaidModel, Purse, paid_recognizer, paid_synthesizer
from services.ai_engine.adapters.patience import Patience
from services.ai_engine.domain.roles import Capabilities, ProviderRole, Recognizer, Synthesizer
from services.ai_engine.domain.run import Configure, Engine, Selection
from services.ai_engine.engines.pipelined import Parts, PipelinedEngine
from services.ai_engine.engines.unified import UnifiedEngine, VoiceParts
from services.ai_engine.registry import BENCH, Providers, provider_missing

R = TypeVar("R", bound=Provider)


def engine_for(
    configure: Configure, providers: Providers, *, clock: Clock, purse: Purse | None = None, tell: Tell = untold
) -> Engine:
    """The engine a session asks for.

    Paid providers are used out of `purse`, where there is one; how each attempt ended goes to `tell`. A role without a
    name gets the first provider that knows the language. Raises PreconditionError PROVIDER_MISSING for a provider that
    is not configured or does not know the language, and InvalidFieldError for a voice that the synthesizer does not
    have.
    """
    wanted, language = configure.selection, configure.language.split("-")[0].lower()
    chooser = _Chooser(providers, language, clock, purse, tell)
    if wanted.kind == "unified":
        return _unified(configure, providers, chooser, clock)
    parts, selection = chooser.parts(wanted)
    _check_voice(parts.synthesizer.capabilities, wanted.voice, field="configure.engine.voice")
    return PipelinedEngine(parts, selection, clock=clock)


def voice_for(name: str, voice: str, providers: Providers, *, clock: Clock, purse: Purse | None = None) -> Synthesizer:
    """The synthesizer of that name, or the default, which has that voice; others stand in for it.

    Raises PreconditionError PROVIDER_MISSING, and InvalidFieldError for a voice it does not have.
    """
    chooser = _Chooser(providers, "", clock, purse, untold)
    synthesizers = chooser.chain(providers.synthesizers, "synthesizer", name, paid_synthesizer, field="synthesizer")
    _check_voice(synthesizers.first.capabilities, voice, field="voice")
    return failover_voice(synthesizers)


def _unified(configure: Configure, providers: Providers, chooser: "_Chooser", clock: Clock) -> Engine:
    wanted = configure.selection
    if whole := providers.engines.get(wanted.speech_to_speech):
        return whole
    stand_ins = chooser.stand_ins()
    voices = chooser.chain(
        providers.speech_to_speech, "speech_to_speech", wanted.speech_to_speech, backed=stand_ins is not None
    )
    voice = voices.first
    _check_voice(voice.capabilities, wanted.voice, field="configure.engine.voice")
    parts = VoiceParts(
        voices=voices,
        ear=providers.ear,
        turn_end=providers.turn_end,
        prompt=providers.prompt,
        turn_taking=providers.turn_taking,
        stand_ins=stand_ins,
        purse=chooser.purse,
        assessor=providers.assessor,
    )
    default_voice = next(iter(voice.capabilities.voices), "")
    selection = Selection(
        kind="unified",
        speech_to_speech=voices.links[0].name,
        voice=wanted.voice or default_voice,
        speaking_rate=wanted.speaking_rate,
    )
    return UnifiedEngine(parts, selection, clock=clock)


@dataclass(frozen=True, slots=True)
class _Chooser:
    """Finds who does it, and who stands in."""

    providers: Providers
    language: str
    clock: Clock
    purse: Purse | None
    tell: Tell

    def parts(self, wanted: Selection) -> tuple[Parts, Selection]:
        """Who hears, thinks and speaks, and their names. Raises PreconditionError PROVIDER_MISSING."""
        providers = self.providers
        recognizers = self.chain(providers.recognizers, "recognizer", wanted.recognizer, paid_recognizer)
        language_models = self.chain(providers.language_models, "language_model", wanted.language_model, PaidModel)
        synthesizers = self.chain(providers.synthesizers, "synthesizer", wanted.synthesizer, paid_synthesizer)
        parts = Parts(
            providers.ear,
            providers.turn_end,
            failover_recognizer(recognizers),
            FailoverModel(language_models),
            failover_voice(synthesizers),
            providers.assessor,
            _scorer(recognizers),
        )
        selection = Selection(
            kind="pipelined",
            recognizer=recognizers.links[0].name,
            language_model=language_models.links[0].name,
            synthesizer=synthesizers.links[0].name,
            voice=wanted.voice or next(iter(synthesizers.first.capabilities.voices), ""),
            speaking_rate=wanted.speaking_rate,
        )
        return parts, selection

    def stand_ins(self) -> Parts | None:
        """The default parts, for a model from speech to speech that fails; None where they don't know the language."""
        if self.providers.patience is None:
            return None
        try:
            return self.parts(Selection())[0]
        except PreconditionError:
            return None

    def chain(
        self,
        among: Mapping[str, R],
        role: ProviderRole,
        name: str,
        behind_purse: Callable[[R, Purse], R] | None = None,
        *,
        field: str = "",
        backed: bool = False,
    ) -> Chain[R]:
        """The provider called `name`, or the first that knows the language, and after it those that may stand in.

        What is said never leaves the machine because a local provider failed: only local ones stand in for it.
        """
        field = field or f"configure.engine.{role}"
        first, chosen = _choose(among, TITLES[role], name, self.language, field=field)
        able = [
            (each, provider)
            for each, provider in among.items()
            if each not in (first, BENCH)
            and self.providers.patience is not None
            and first != BENCH
            and _knows(provider.capabilities, self.language)
            and (provider.capabilities.local or not chosen.capabilities.local)
        ]
        # Stable: the local ones, which always answer, come last.
        others = sorted(able, key=lambda named: named[1].capabilities.local)
        healths = self.providers.healths
        links = [
            Link(each, self._behind(provider, behind_purse), healths.of(role, each))
            for each, provider in ((first, chosen), *others)
        ]
        patience = self.providers.patience or Patience()
        return Chain(links, patience=patience, clock=self.clock, tell=self.tell, backed=backed)

    def _behind(self, provider: R, behind_purse: Callable[[R, Purse], R] | None) -> R:
        if self.purse is None or behind_purse is None or not provider.capabilities.paid:
            return provider
        return behind_purse(provider, self.purse)


def _scorer(recognizers: Chain[Recognizer]) -> str:
    """The first that scores pronunciation; empty where none does."""
    return next((link.name for link in recognizers.links if link.provider.capabilities.pronunciation), "")


def _choose(providers: Mapping[str, R], role: str, name: str, language: str, *, field: str) -> tuple[str, R]:
    """The provider called `name`, or the first, which knows `language` (empty: any)."""
    if name and name not in providers:
        raise provider_missing(f"There is no {role} {name!r} here; configured: {_listed(providers)}.", field)
    able = {
        each: provider
        for each, provider in providers.items()
        if name in ("", each) and _knows(provider.capabilities, language)
    }
    if not able:
        raise provider_missing(
            f"No {role} that is configured knows the language {language!r}; configured: {_listed(providers)}.", field
        )
    return next(iter(able.items()))


def _knows(capabilities: Capabilities, language: str) -> bool:
    return not language or not capabilities.languages or language in capabilities.languages


def _check_voice(capabilities: Capabilities, voice: str, *, field: str) -> None:
    if voice and voice not in capabilities.voices:
        raise InvalidFieldError(
            f"The synthesizer has no voice {voice!r}; choose one of: {', '.join(capabilities.voices)}.", field=field
        )


def _listed(providers: Mapping[str, Provider]) -> str:
    shown = (
        f"{name} ({', '.join(sorted(provider.capabilities.languages)) or 'any language'})"
        for name, provider in providers.items()
    )
    return ", ".join(shown) or "none"
