"""Has a speech-to-speech provider find out itself when the learner's turns begin and pause."""

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Final

from mesh.errors import ProviderError, VivavoceError
from services.ai_engine.adapters.patience import waited_for
from services.ai_engine.domain.remembered import Kept
from services.ai_engine.domain.roles import HEARING_RATE_HZ
from services.ai_engine.domain.run import (
    Recognize,
    SpeechEnded,
    SpeechStarted,
    TranscriptRevised,
    TurnEndEstimated,
)
from services.ai_engine.domain.voice import PauseFound, SoundUnderstood, SpeechFound
from services.ai_engine.engines.voice_turns import Ears

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

    def __init__(self, ears: Ears) -> None:
        self._ears = ears
        self._line = ears.party.line
        self._heard = ears.heard
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
        resampler = self._ears.resampler()
        while True:
            await self._more.wait()
            self._more.clear()
            try:
                link = await self._line.link()
                if self._number != self._line.number:
                    self._number = self._line.number
                    self._origin = self._sent = max(self._heard.first, self._heard.end - HEARING_RATE_HZ)
                    resampler = self._ears.resampler()
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
        await self._ears.emit(SpeechStarted(self._began))

    async def pause_found(self, event: PauseFound) -> None:
        """The learner has paused, and the turn is over as far as the vendor can tell."""
        end = max(self._began, self._at(event.at_ms))
        text: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._stretches.append(_Stretch(self._began, end, event.item_id, text))
        await self._ears.emit(SpeechEnded(end))
        await self._ears.emit(TurnEndEstimated(end, _SURE))

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
        self._ears.tasks.create_task(self._answer(request), name="their turn")

    async def _answer(self, request: Recognize) -> None:
        until = request.to_sample or self._ears.at_input(self._heard.end)
        stretches = [each for each in self._stretches if each.end > request.from_sample and each.begin < until]
        with waited_for(self._ears.clock.now()):
            try:
                async with asyncio.timeout(self._ears.understood_s):
                    texts = [await each.text for each in stretches]
                if request.to_sample and not stretches:
                    raise ProviderError("The vendor heard no turn there.", metadata={"cause": "UNHEARD"})
            except (VivavoceError, TimeoutError) as error:
                await self._ears.hand_over(request, error)
                return
        self._ears.understood(sum(self._ears.at_hearing(each.end - each.begin) for each in stretches))
        text = " ".join(filter(None, texts))
        if request.to_sample and text and self._number == self._line.number:
            kept = Kept("learner", text, tuple(each.item_id for each in stretches), request.turn_id)
            self._ears.party.remembered.retake(kept)
        await self._ears.emit(TranscriptRevised(request.turn_id, request.revision, text, (), until))

    def _at(self, ms: int) -> int:
        """The session's sample at so many milliseconds of the sound given to this connection."""
        return self._ears.at_input(self._origin + ms * HEARING_RATE_HZ // 1000)
