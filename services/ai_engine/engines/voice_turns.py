"""Has a speech-to-speech provider hear the learner's turns: sound goes to it live, and becomes an item at a pause."""

import asyncio
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from mesh.audio import StreamResampler
from mesh.clock import Clock
from mesh.errors import ProviderError, VivavoceError
from services.ai_engine.adapters.patience import waited_for
from services.ai_engine.domain.remembered import Forget, Kept
from services.ai_engine.domain.roles import HEARING_RATE_HZ
from services.ai_engine.domain.run import Emit, EngineFailed, Failure, Recognize, TranscriptRevised
from services.ai_engine.domain.voice import SoundTaken, SoundUnderstood, VoiceLink
from services.ai_engine.engines.memory import HeardSound
from services.ai_engine.engines.recognition import Recognitions
from services.ai_engine.engines.voice_party import Party

#: Sound added on both sides where there is some.
_MARGIN: Final = HEARING_RATE_HZ // 5
#: The vendors refuse less.
_SHORTEST: Final = HEARING_RATE_HZ // 10
#: Requests that may be in work; more are refused.
_OPEN: Final = 8
#: Sound sent in one message at most.
_PIECE: Final = HEARING_RATE_HZ


@dataclass(slots=True)
class _Stretch:
    """Sound that was made an item, and what was understood in it."""

    item_id: "asyncio.Future[str]"
    text: "asyncio.Future[str]"


@dataclass(slots=True)
class _Buffer:
    """What the vendor was given and has not made an item of, at the hearing rate."""

    number: int
    begin: int
    end: int
    resampler: StreamResampler


@dataclass(slots=True)
class Ears:
    """What the turns of a session are made from, whoever finds them, and how much was understood."""

    party: Party
    heard: HeardSound
    input_rate_hz: int
    stand_in: Recognitions | None
    #: Seconds the vendor may take to understand.
    understood_s: float
    emit: Emit
    clock: Clock
    tasks: asyncio.TaskGroup
    _recognized_ms: int = 0

    def understood(self, samples: int) -> None:
        """The vendor understood so much, in samples at the hearing rate."""
        self._recognized_ms += samples * 1000 // HEARING_RATE_HZ

    def take_recognized_ms(self) -> int:
        """Milliseconds understood since this was last asked, by whomever."""
        recognized, self._recognized_ms = self._recognized_ms, 0
        return recognized + (self.stand_in.take_recognized_ms() if self.stand_in else 0)

    def at_hearing(self, sample: int) -> int:
        """The sample at the hearing rate."""
        return sample * HEARING_RATE_HZ // self.input_rate_hz

    def at_input(self, sample: int) -> int:
        """The sample at the input rate."""
        return sample * self.input_rate_hz // HEARING_RATE_HZ

    def resampler(self) -> StreamResampler:
        """Makes what is heard into what the vendor hears."""
        return StreamResampler(HEARING_RATE_HZ, self.party.provider.capabilities.sample_rate_hz)

    async def hand_over(self, request: Recognize, error: Exception) -> None:
        """Has somebody else recognise it, or tells that it was not understood."""
        if self.stand_in is not None:
            await self.stand_in.ask(request)
            return
        late = ProviderError("What was said was not understood in time; say it again.")
        failure = Failure.of(error if isinstance(error, VivavoceError) else late)
        await self.emit(EngineFailed(failure, request.turn_id, request.revision))


class VoiceTurns:
    """The turns of one session, where this engine finds out when they begin and pause."""

    def __init__(self, ears: Ears) -> None:
        self._ears = ears
        self._line = ears.party.line
        self._heard = ears.heard
        self._buffer: _Buffer | None = None
        self._speaking = False
        self._begin = 0
        self._sending = asyncio.Lock()
        self._more = asyncio.Event()
        self._taken: deque[_Stretch] = deque()
        self._understood: dict[str, _Stretch] = {}
        self._open: dict[asyncio.Task[None], Recognize] = {}

    def speech_began(self, at_sample: int) -> None:
        """The learner speaks: the sound goes out as it comes."""
        self._line.warm()
        self._speaking = True
        self._begin = max(0, self._ears.at_hearing(at_sample) - _MARGIN)
        self._more.set()

    def speech_ended(self) -> None:
        """The learner pauses."""
        self._speaking = False

    def heard_more(self) -> None:
        """The session's memory holds more sound."""
        if self._speaking:
            self._more.set()

    async def run(self) -> None:
        """Gives the vendor what the learner says, while the learner says it."""
        while True:
            await self._more.wait()
            self._more.clear()
            if self._speaking and self._line.is_up:
                try:
                    async with self._sending:
                        await self._give(await self._line.link(), self._begin, self._heard.end)
                except VivavoceError:
                    self._buffer = None  # It is sent anew when its text is wanted.

    async def ask(self, request: Recognize) -> None:
        """Begins to find out what was said; the answer is one TranscriptRevised, or EngineFailed."""
        for task, other in self._open.items():
            if other.turn_id == request.turn_id and other.revision < request.revision:
                task.cancel()
        if len(self._open) >= _OPEN:
            full = ProviderError("Too many turns wait to be understood; try again when one is.")
            await self._ears.emit(EngineFailed(Failure.of(full), request.turn_id, request.revision))
            return
        task = self._ears.tasks.create_task(self._answer(request), name="voice turn")
        self._open[task] = request
        self._line.idle.clear()
        task.add_done_callback(self._answered)

    def taken(self, event: SoundTaken) -> None:
        """The oldest sound that was made an item is this one."""
        if self._taken:
            stretch = self._taken.popleft()
            if stretch.item_id.done():
                # Nobody waits for it any more, and it is no line of the talk.
                self._ears.tasks.create_task(self._forget(event.item_id), name="forgetting")
                return
            stretch.item_id.set_result(event.item_id)
            self._understood[event.item_id] = stretch

    def understood(self, event: SoundUnderstood) -> None:
        """What was said in it."""
        stretch = self._understood.pop(event.item_id, None)
        if stretch is None or stretch.text.done():
            return
        if event.text is None:
            stretch.text.set_exception(ProviderError("What was said could not be transcribed; say it again."))
        else:
            stretch.text.set_result(event.text)

    def lost(self) -> None:
        """The connection is gone, and with it all it was given."""
        self._buffer = None
        gone = ProviderError("The connection to the speech-to-speech provider broke.", metadata={"cause": "CLOSED"})
        for stretch in (*self._taken, *self._understood.values()):
            for waited in (stretch.item_id, stretch.text):
                if not waited.done():
                    waited.set_exception(gone)
                    waited.exception()  # Retrieved: nobody may be waiting for it any more.
        self._taken.clear()
        self._understood.clear()

    def _answered(self, task: "asyncio.Task[None]") -> None:
        del self._open[task]
        if not self._open:
            self._line.idle.set()

    async def _answer(self, request: Recognize) -> None:
        begin = max(0, self._ears.at_hearing(request.from_sample) - _MARGIN)
        wanted = self._ears.at_hearing(request.to_sample) + _MARGIN if request.to_sample else self._heard.end
        end = min(wanted, self._heard.end)
        to_sample = min(request.to_sample or self._ears.at_input(self._heard.end), self._ears.at_input(self._heard.end))
        with waited_for(self._ears.clock.now()):
            try:
                async with asyncio.timeout(self._ears.understood_s):
                    text = await self._text(request, begin, end)
            except (VivavoceError, TimeoutError) as error:
                await self._ears.hand_over(request, error)
                return
        self._ears.understood(end - begin)
        await self._ears.emit(TranscriptRevised(request.turn_id, request.revision, text, (), to_sample))

    async def _text(self, request: Recognize, begin: int, end: int) -> str:
        if end - begin < _SHORTEST:
            return ""
        stretch = _Stretch(*(asyncio.get_running_loop().create_future() for _ in range(2)))
        async with self._sending:
            if self._line.is_resting:
                raise ProviderError("The speech-to-speech provider failed before and is left alone for a while.")
            link = await self._line.link()
            number, remembered = self._line.number, self._ears.party.remembered
            # The same turn once more, longer: what it was before is not said twice.
            await _forget(link, remembered.drop_turn(request.turn_id))
            await self._give(link, begin, end)
            self._taken.append(stretch)
            await link.commit()
            self._buffer = None
        item_id, text = await stretch.item_id, ""
        try:
            text = await stretch.text
        finally:
            # Understood too late, it is still the turn's sound.
            if number == self._line.number and request.to_sample and (text or stretch.text.cancelled()):
                remembered.take(Kept("learner", text, (item_id,), request.turn_id))
            elif number == self._line.number:
                # A look at what is being said, or a noise: not yet, or never, a line of the talk.
                self._ears.tasks.create_task(self._forget(item_id), name="forgetting")
        return text

    async def _forget(self, item_id: str) -> None:
        with suppress(VivavoceError):  # A connection that broke remembers nothing.
            await (await self._line.link()).forget(item_id)

    async def _give(self, link: VoiceLink, begin: int, end: int) -> None:
        """Sees to it that the vendor was given the sound from `begin` to `end`, and as little else as may be."""
        buffer = self._buffer
        if buffer is None or buffer.number != self._line.number or not 0 <= begin - buffer.begin <= _MARGIN:
            if buffer is not None and buffer.number == self._line.number:
                await link.clear()
            first = max(begin, self._heard.first)
            buffer = self._buffer = _Buffer(self._line.number, begin, first, self._ears.resampler())
        while buffer.end < end:
            pcm, start = self._heard.stretch(buffer.end, min(end, buffer.end + _PIECE))
            buffer.end = start + len(pcm) // 2
            if not pcm:
                return
            if resampled := buffer.resampler.feed(pcm):
                await link.append(resampled)


async def _forget(link: VoiceLink, gone: list[Forget]) -> None:
    for each in gone:
        await link.forget(each.item_id)
