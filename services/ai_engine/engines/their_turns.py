"""Has a speech-to-speech provider find out itself when the learner's turns begin and pause."""

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Final

from mesh.audio import StreamResampler
from mesh.errors import ProviderError, VivavoceError
from services.ai_engine.domain.remembered import Kept
from services.ai_engine.domain.roles import HEARING_RATE_HZ
from services.ai_engine.domain.run import (
    Emit,
    EngineFailed,
    Failure,
    Recognize,
    SpeechEnded,
    SpeechStarted,
    TranscriptRevised,
    TurnEndEstimated,
)
from services.ai_engine.domain.voice import PauseFound, SoundUnderstood, SpeechFound
from services.ai_engine.engines.memory import HeardSound
from services.ai_engine.engines.recognition import Recognitions
from services.ai_engine.engines.voice_line import VoiceLine
from services.ai_engine.engines.voice_turns import UNDERSTOOD_S, Memory

#: The vendor does not tell how sure it is; when it says that a turn is over, it has waited already.
_SURE: Final = 0.95
#: Stretches that are known: a turn has one for each pause in it. Full: the oldest is forgotten.
_STRETCHES: Final = 64
_PIECE: Final = HEARING_RATE_HZ


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Sound between two samples of the session that the vendor made an item of."""

    begin: int
    end: int
    item_id: str
    text: "asyncio.Future[str]"


class TheirTurns:
    """The turns of one session, as the vendor finds them. All the sound goes to it, silence too."""

    def __init__(
        self,
        *,
        line: VoiceLine,
        memory: Memory,
        rate_hz: int,
        heard: HeardSound,
        input_rate_hz: int,
        stand_in: Recognitions | None,
        emit: Emit,
        tasks: asyncio.TaskGroup,
    ) -> None:
        self._line = line
        self._memory = memory
        self._rate_hz = rate_hz
        self._heard = heard
        self._input_rate_hz = input_rate_hz
        self._stand_in = stand_in
        self._emit = emit
        self._tasks = tasks
        self._more = asyncio.Event()
        #: The connection that hears, the sample its sound began at, and the next to give it.
        self._number = self._origin = self._sent = 0
        self._began = 0
        self._stretches: deque[_Stretch] = deque(maxlen=_STRETCHES)

    def heard_more(self) -> None:
        """The session's memory holds more sound."""
        self._more.set()

    async def run(self) -> None:
        """Gives the vendor all the sound as it comes."""
        resampler = StreamResampler(HEARING_RATE_HZ, self._rate_hz)
        while True:
            await self._more.wait()
            self._more.clear()
            try:
                link = await self._line.link()
                if self._number != self._line.number:
                    self._number = self._line.number
                    self._origin = self._sent = max(self._heard.first, self._heard.end - HEARING_RATE_HZ)
                    resampler = StreamResampler(HEARING_RATE_HZ, self._rate_hz)
                while self._sent < self._heard.end:
                    pcm, start = self._heard.stretch(self._sent, self._sent + _PIECE)
                    self._sent = start + len(pcm) // 2
                    if resampled := resampler.feed(pcm):
                        await link.append(resampled)
            except VivavoceError:
                pass  # The line tells of it, and our own perception hears meanwhile.

    async def speech_found(self, event: SpeechFound) -> None:
        """The learner speaks."""
        self._began = self._at(event.at_ms)
        await self._emit(SpeechStarted(self._began))

    async def pause_found(self, event: PauseFound) -> None:
        """The learner has paused, and the turn is over as far as the vendor can tell."""
        end = max(self._began, self._at(event.at_ms))
        text: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._stretches.append(_Stretch(self._began, end, event.item_id, text))
        await self._emit(SpeechEnded(end))
        await self._emit(TurnEndEstimated(end, _SURE))

    def understood(self, event: SoundUnderstood) -> None:
        """What was said in a stretch."""
        for stretch in self._stretches:
            if stretch.item_id == event.item_id and not stretch.text.done():
                stretch.text.set_result(event.text or "")

    def lost(self) -> None:
        """The connection is gone, and with it what it has not understood yet."""
        for stretch in self._stretches:
            if not stretch.text.done():
                stretch.text.set_exception(ProviderError("The connection broke.", metadata={"cause": "CLOSED"}))
                stretch.text.exception()  # Retrieved: perhaps nobody waits for it.

    async def ask(self, request: Recognize) -> None:
        """Tells what was said; the answer is one TranscriptRevised, or EngineFailed."""
        self._tasks.create_task(self._answer(request), name="their turn")

    async def _answer(self, request: Recognize) -> None:
        until = request.to_sample or self._heard.end * self._input_rate_hz // HEARING_RATE_HZ
        stretches = [each for each in self._stretches if each.end > request.from_sample and each.begin < until]
        try:
            async with asyncio.timeout(UNDERSTOOD_S):
                texts = [await each.text for each in stretches]
        except (VivavoceError, TimeoutError):
            await self._stand_in_for(request)
            return
        if request.to_sample and not stretches:
            await self._stand_in_for(request)
            return
        text = " ".join(filter(None, texts))
        if request.to_sample and text:
            remembered = self._memory.of(self._number)
            remembered.retake(Kept("learner", text, tuple(each.item_id for each in stretches), request.turn_id))
        await self._emit(TranscriptRevised(request.turn_id, request.revision, text, (), until))

    async def _stand_in_for(self, request: Recognize) -> None:
        if self._stand_in is not None:
            await self._stand_in.ask(request)
            return
        late = ProviderError("What was said was not understood in time; say it again.")
        await self._emit(EngineFailed(Failure.of(late), request.turn_id, request.revision))

    def _at(self, ms: int) -> int:
        """The session's sample at so many milliseconds of the sound given to this connection."""
        return (self._origin + ms * HEARING_RATE_HZ // 1000) * self._input_rate_hz // HEARING_RATE_HZ
