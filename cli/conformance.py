"""One conformance turn with a provider, in each role it plays: what it does, and how long it takes to begin."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from importlib.metadata import entry_points
from typing import Final

from mesh.audio import StreamResampler, is_silent, samples
from mesh.errors import InvalidFieldError, ProviderError
from mesh.settings import load
from services.ai_engine.domain.roles import (
    HEARING_RATE_HZ,
    LanguageModel,
    Learner,
    Line,
    ProviderRole,
    Recognizer,
    Synthesizer,
    TextDelta,
    TutorContext,
)
from services.ai_engine.domain.voice import AnswerEnded, AnswerSound, SpeechToSpeech, VoiceSetup
from services.ai_engine.models import ModelSettings
from services.ai_engine.registry import GROUPS, Premises, Providers, open_providers
from services.ai_engine.settings import Settings
from services.ai_engine.tutor.reading import read_everywhere, read_scripts

SENTENCE: Final = "I would like a cappuccino, please."
_WORD: Final = "cappuccino"
_TURN_S: Final = 20.0
_ROLE_GROUPS: Final[dict[ProviderRole, str]] = {
    "recognizer": GROUPS["recognizer"],
    "language_model": GROUPS["language model"],
    "synthesizer": GROUPS["synthesizer"],
    "speech_to_speech": GROUPS["speech-to-speech provider"],
}
_SETTINGS: Final[dict[ProviderRole, str]] = {
    "recognizer": "recognizers",
    "language_model": "language_models",
    "synthesizer": "synthesizers",
    "speech_to_speech": "speech_to_speech",
}


@dataclass(frozen=True, slots=True)
class Turn:
    """How a turn went. `first_ms`: until the first token, sound or text came."""

    role: ProviderRole
    first_ms: float
    whole_ms: float
    told: str


@asynccontextmanager
async def opened(settings: Settings | None = None) -> AsyncIterator[Providers]:
    """The providers the settings name, or those of the environment. Raises VivavoceError where one can't open."""
    settings = settings or load(Settings)
    folder = settings.models()
    models = load(ModelSettings, dir=folder) if folder else load(ModelSettings)
    scripts = await asyncio.to_thread(lambda: read_scripts(settings.folders(), read_everywhere()))
    async with open_providers(Premises(settings, models, scripts)) as providers:
        yield providers


def roles_of(name: str) -> list[ProviderRole]:
    """The roles in which a provider of that name is installed. Raises InvalidFieldError where there are none."""
    roles = [role for role, group in _ROLE_GROUPS.items() if name in entry_points(group=group).names]
    if not roles:
        every = sorted({each for group in _ROLE_GROUPS.values() for each in entry_points(group=group).names})
        raise InvalidFieldError(f"No provider is called {name!r}; installed: {', '.join(every)}.", field="name")
    return roles


def only(name: str, role: ProviderRole) -> Settings:
    """The environment's settings with this provider alone in its role, and the local parts around it."""
    settings = load(Settings)
    local: dict[str, tuple[str, ...]] = {
        "recognizers": (),
        "language_models": (),
        "synthesizers": ("hibari",),
        "speech_to_speech": (),
    }
    wanted = local | {_SETTINGS[role]: (name,)}
    if role == "synthesizer" and name != "hibari":
        wanted["synthesizers"] = (name,)
    return replace(
        settings,
        recognizers=wanted["recognizers"],
        language_models=wanted["language_models"],
        synthesizers=wanted["synthesizers"],
        speech_to_speech=wanted["speech_to_speech"],
    )


async def take_turn(providers: Providers, role: ProviderRole, name: str) -> Turn:
    """Takes one turn with a provider. Raises ProviderError where it does not do what its role promises."""
    async with asyncio.timeout(_TURN_S):
        match role:
            case "recognizer":
                return await _hear(providers.recognizers[name], providers)
            case "language_model":
                return await _think(providers.language_models[name])
            case "synthesizer":
                return await _speak(providers.synthesizers[name])
            case "speech_to_speech":
                return await _converse(providers.speech_to_speech[name])


async def _hear(recognizer: Recognizer, providers: Providers) -> Turn:
    voice = providers.synthesizers["hibari"]
    resampler = StreamResampler(voice.capabilities.sample_rate_hz, HEARING_RATE_HZ)
    pcm = b"".join([resampler.feed(chunk.pcm) async for chunk in voice.synthesize(SENTENCE)]) + resampler.flush()
    begun = time.perf_counter()
    transcript = await recognizer.recognize(pcm, language="en")
    taken = _ms(begun)
    _require(_WORD in transcript.text.lower(), f"heard {transcript.text!r} where {SENTENCE!r} was said")
    return Turn("recognizer", taken, taken, transcript.text)


async def _think(model: LanguageModel) -> Turn:
    context = TutorContext(Learner(level="A2"), "cafe", (Line("tutor", "Hello! What would you like?"),), SENTENCE)
    begun, first_ms, text = time.perf_counter(), 0.0, ""
    reply = model.reply(context)
    async with aclosing(reply):  # type: ignore[type-var]  # A generator, as all of ours.
        async for part in reply:
            if isinstance(part, TextDelta):
                first_ms = first_ms or _ms(begun)
                text += part.text
    _require(bool(text.strip()), "gave an empty answer")
    return Turn("language_model", first_ms, _ms(begun), text.strip())


async def _speak(voice: Synthesizer) -> Turn:
    begun, first_ms, pcm = time.perf_counter(), 0.0, b""
    async for chunk in voice.synthesize(SENTENCE):
        first_ms = first_ms or _ms(begun)
        pcm += chunk.pcm
    _require(not is_silent(pcm), "was silent")
    length_s = samples(pcm) / voice.capabilities.sample_rate_hz
    return Turn("synthesizer", first_ms, _ms(begun), f"{length_s:.1f} s of speech")


async def _converse(voice: SpeechToSpeech) -> Turn:
    begun, first_ms, taken = time.perf_counter(), 0.0, 0
    async with voice.connect(VoiceSetup("en")) as link:
        connected_ms = _ms(begun)
        begun = time.perf_counter()
        await link.instruct("You are a friendly waiter. Answer in one short sentence.")
        await link.remember("line_1", Line("learner", SENTENCE), after="")
        await link.answer("turn_1")
        async for event in link.events():
            match event:
                case AnswerSound(_, _, pcm):
                    first_ms = first_ms or _ms(begun)
                    taken += samples(pcm)
                case AnswerEnded(_, end):
                    _require(end == "complete" and taken > 0, f"ended its answer as {end}")
                    break
                case _:
                    pass
    length_s = taken / voice.capabilities.sample_rate_hz
    return Turn(
        "speech_to_speech", first_ms, _ms(begun), f"{length_s:.1f} s of speech; connected in {connected_ms:.0f} ms"
    )


def _require(kept: bool, otherwise: str) -> None:
    if not kept:
        raise ProviderError(f"It {otherwise}; check its settings, or choose another.")


def _ms(since: float) -> float:
    return (time.perf_counter() - since) * 1000
