"""What the real models make of a turn with pauses in it: its edges, how final each pause sounds, and the words."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

from cli.talking.sound import Sound
from mesh.audio import BYTES_PER_SAMPLE, HEARING_HZ, SPEECH_HZ
from mesh.clock import SystemClock
from mesh.errors import ProviderError
from mesh.settings import load
from services.ai_engine.assembly import engine_for
from services.ai_engine.domain.roles import SpeechDetection, VoiceActivity
from services.ai_engine.domain.run import (
    AppendAudio,
    Configure,
    EngineFailed,
    EngineSession,
    Event,
    Recognize,
    Selection,
    SpeechEnded,
    SpeechStarted,
    TranscriptRevised,
    TurnEndEstimated,
)
from services.ai_engine.models import ModelSettings
from services.ai_engine.openers import silero, smart_turn, whisper
from services.ai_engine.providers.instant import InstantLanguageModel, InstantSynthesizer
from services.ai_engine.registry import Premises, Providers
from services.ai_engine.settings import Settings

E = TypeVar("E", bound=Event)

#: Shorter than any pause: no pause begins and ends in one piece.
_PIECE: Final = HEARING_HZ // 50 * BYTES_PER_SAMPLE
#: Silence before and after a turn; after so much of it what was said before is no part of the turn.
_LEAD: Final = bytes(5 * HEARING_HZ // 2 * BYTES_PER_SAMPLE)
_TAIL: Final = bytes(HEARING_HZ * BYTES_PER_SAMPLE)
_ANSWER_S: Final = 20.0
#: A machine that is busy may be too slow for a model's deadline; then the turn is heard once more.
_TRIES: Final = 5


@dataclass(frozen=True, slots=True)
class Stop:
    """A pause as it was heard: the sample after the last of speech, how final it sounds, and the words before it."""

    sample: int
    looks_over: float
    text: str


@dataclass(slots=True)
class Overheard:
    """A turn as it was heard. Samples count from its first; `ends` is the sample after its last loud one."""

    ends: int
    begins: list[int] = field(default_factory=list)
    stops: list[Stop] = field(default_factory=list)


class Listener:
    """Hears turns one after another, faster than they are spoken."""

    def __init__(self, session: EngineSession, events: "asyncio.Queue[Event]", activity: "_Watched") -> None:
        self._session = session
        self._events = events
        self._activity = activity
        self._position = 0
        self._turns = 0

    async def overhear(self, sound: Sound) -> Overheard:
        """Listens to a turn; each pause is judged and recognised before more is heard, as it is in a conversation.

        Raises:
            ProviderError: a model fails again and again.
        """
        for _ in range(_TRIES - 1):
            with suppress(ProviderError):
                return await self._overhear(sound)
        return await self._overhear(sound)

    async def _overhear(self, sound: Sound) -> Overheard:
        self._turns += 1
        origin = self._position + len(_LEAD) // BYTES_PER_SAMPLE
        heard = Overheard(sound.last_speech_sample())
        pcm = _LEAD + sound.pcm + _TAIL
        for begin in range(0, len(pcm), _PIECE):
            piece = pcm[begin : begin + _PIECE]
            await self._session.handle(AppendAudio(self._position, piece))
            self._position += len(piece) // BYTES_PER_SAMPLE
            await self._note(heard, origin)
        return heard

    async def _note(self, heard: Overheard, origin: int) -> None:
        """Takes what the models noticed in the last piece, once they have heard it."""
        async with asyncio.timeout(_ANSWER_S):
            await self._activity.heard(self._position)
        while not self._events.empty():
            match self._events.get_nowait():
                case SpeechStarted(at_sample):
                    heard.begins.append(at_sample - origin)
                case SpeechEnded(at_sample):
                    judged = await self._next(TurnEndEstimated)
                    asked = Recognize(f"t{self._turns}", len(heard.stops) + 1, origin + heard.begins[0], at_sample)
                    await self._session.handle(asked)
                    recognised = await self._next(TranscriptRevised)
                    heard.stops.append(Stop(at_sample - origin, judged.probability, recognised.text))
                case _:
                    pass

    async def _next(self, kind: type[E]) -> E:
        async with asyncio.timeout(_ANSWER_S):
            while True:
                event = await self._events.get()
                if isinstance(event, kind):
                    return event
                if isinstance(event, EngineFailed):
                    raise ProviderError(f"{event.failure.message} Try again when less else is running.")


class _Watched:
    """Voice activity that tells how much it has heard (VoiceActivity, of one session)."""

    def __init__(self, activity: VoiceActivity) -> None:
        self.name = activity.name
        self.capabilities = activity.capabilities
        self._activity = activity
        self._samples = 0
        self._more = asyncio.Event()

    def open(self) -> SpeechDetection:
        """Starts it."""
        self._detection = self._activity.open()
        return self

    async def probabilities(self, pcm: bytes) -> list[float]:
        """Those of the activity it stands for."""
        found = await self._detection.probabilities(pcm)
        self._samples += len(pcm) // BYTES_PER_SAMPLE
        self._more.set()
        return found

    async def glimpse(self) -> float:
        """That of the activity it stands for."""
        return await self._detection.glimpse()

    async def heard(self, samples: int) -> None:
        """Returns when so many samples were heard, and what was noticed in them is told."""
        while self._samples < samples:
            self._more.clear()
            await self._more.wait()


@asynccontextmanager
async def open_listener() -> AsyncIterator[Listener]:
    """The models of this installation that hear, for the length of the block.

    Raises:
        VivavoceError: a model is missing.
    """
    premises = Premises(load(Settings), load(ModelSettings), {})
    events: asyncio.Queue[Event] = asyncio.Queue(1024)
    async with AsyncExitStack() as stack:
        ear = await stack.enter_async_context(silero(premises))
        activity = _Watched(ear.activity)
        providers = Providers(
            recognizers={"whisper": await stack.enter_async_context(whisper(premises))},
            language_models={"instant": InstantLanguageModel()},
            synthesizers={"instant": InstantSynthesizer()},
            speech_to_speech={},
            ear=replace(ear, activity=activity),
            turn_end=await stack.enter_async_context(smart_turn(premises)),
        )
        configure = Configure(Selection(), HEARING_HZ, SPEECH_HZ)
        engine = engine_for(configure, providers, clock=SystemClock())
        session = await stack.enter_async_context(engine.open(configure, events.put))
        yield Listener(session, events, activity)
