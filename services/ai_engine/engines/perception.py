"""Hears when the learner speaks and pauses, and how likely a pause ends the turn."""

import asyncio
from dataclasses import dataclass
from typing import Final, assert_never

from mesh.errors import TimedOutError, VivavoceError
from mesh.mailbox import Closed, Mailbox
from services.ai_engine.domain.roles import HEARING_RATE_HZ, TurnEnd, VoiceActivity
from services.ai_engine.domain.run import Emit, EngineFailed, Failure, SpeechEnded, SpeechStarted, TurnEndEstimated
from services.ai_engine.domain.speech_edges import (
    END_BACK_S,
    ONSET_BACK_S,
    Began,
    Cadence,
    Ceased,
    SpeechEdges,
    first_of_speech,
    last_of_speech,
)
from services.ai_engine.domain.spoken_before import SpokenBefore, settled_after
from services.ai_engine.engines.faults import failure_of
from services.ai_engine.engines.memory import HeardSound

#: A model calls silence speech for no longer than this; what seems quiet before is a faint end in noise.
_MODEL_LAG: Final = HEARING_RATE_HZ * 4 // 25
#: Pieces of sound that may wait for the model. Full: `feed` waits, and by flow control so does the caller.
_WAITING: Final = 64
#: As much of what waits is judged in one go.
_AT_ONCE_BYTES: Final = 2 * HEARING_RATE_HZ // 2
_ONSET_BACK: Final = int(ONSET_BACK_S * HEARING_RATE_HZ)
_END_BACK: Final = int(END_BACK_S * HEARING_RATE_HZ)
#: Turn end is judged on at most so much, from the start of speech with pauses no longer than this in it.
_TURN: Final = 8 * HEARING_RATE_HZ
_LONGEST_PAUSE: Final = 2 * HEARING_RATE_HZ
_TURN_END_S: Final = 3.0
#: Models learnt from turns with about so much silence behind them. Nobody waits for it: it is heard as if it had come.
_SETTLED: Final = HEARING_RATE_HZ // 5


@dataclass(frozen=True, slots=True)
class Ear:
    """A voice-activity provider and how it counts."""

    activity: VoiceActivity
    cadence: Cadence


class Perception:
    """Perception of one session, run in the session's TaskGroup.

    Recognition has queues of its own; nothing here stands behind it.
    """

    def __init__(
        self,
        *,
        ear: Ear,
        turn_end: TurnEnd | None,
        heard: HeardSound,
        input_rate_hz: int,
        emit: Emit,
        tasks: asyncio.TaskGroup,
    ) -> None:
        self._detection = ear.activity.open()
        self._window = ear.cadence.window_samples
        self._hang = ear.cadence.window_samples * ear.cadence.hang_windows
        self._edges = SpeechEdges(ear.cadence)
        self._turn_end = turn_end
        self._heard = heard
        self._input_rate_hz = input_rate_hz
        self._emit = emit
        self._tasks = tasks
        self._waiting: Mailbox[bytes] = Mailbox(_WAITING)
        self._fed = 0
        self._failing = False
        self._turn_begin = 0
        #: Where the last stretch of speech begins, and where the last turn that counts ends.
        self._begin = 0
        self._taken = 0
        self._last_end = -_LONGEST_PAUSE
        #: The turn as it was judged last, with so many quiet samples at its end; and what was said before it.
        self._spoken = b"", 0
        self._before = SpokenBefore()
        self._judging: asyncio.Task[None] | None = None

    async def feed(self, pcm: bytes) -> None:
        """Takes sound at the hearing rate, which the session's memory holds already."""
        if not self._waiting.offer(pcm):
            await self._waiting.put(pcm)

    def turn_taken(self, to_sample: int) -> None:
        """Says that a turn ended here, by the input's samples: what comes after it is judged without it."""
        self._taken = to_sample * HEARING_RATE_HZ // self._input_rate_hz
        if self._turn_begin < self._taken <= self._begin:
            self._new_turn(self._begin)

    def close(self) -> None:
        """Says that no more sound will come: `run` ends with what waits."""
        self._waiting.close()

    async def run(self) -> None:
        """Tells of every edge until it is closed."""
        while True:
            try:
                pcm = await self._waiting.get()
                while len(self._waiting) and len(pcm) < _AT_ONCE_BYTES:
                    pcm += await self._waiting.get()
            except Closed:
                return
            await self._judge_sound(pcm)

    async def _judge_sound(self, pcm: bytes) -> None:
        self._fed += len(pcm) // 2
        for probability in await self._probabilities(pcm):
            edge = self._edges.hear(probability)
            if edge is None and self._edges.fading and self._silent():
                edge = self._edges.cease()
            await self._tell(edge)
        if self._edges.doubtful:
            await self._tell(self._edges.glimpse(await self._glimpse()))

    async def _tell(self, edge: Began | Ceased | None) -> None:
        match edge:
            case Began(at):
                await self._began(at)
            case Ceased(at):
                await self._ceased(at)
            case None:
                pass
            case never:
                assert_never(never)

    def _silent(self) -> bool:
        """Whether the sound itself has been quiet for the whole hang: a model notices an end tens of ms late."""
        position = self._edges.position
        sound, first = self._heard.stretch(position - _END_BACK, position)
        return position - last_of_speech(sound, first, position) >= self._hang

    async def _probabilities(self, pcm: bytes) -> list[float]:
        try:
            probabilities = await self._detection.probabilities(pcm)
        except Exception as error:  # The session goes on whatever a provider does; told once, not at every frame.
            self._edges.skip(max(0, self._fed - self._edges.position) // self._window)
            if not self._failing:
                self._failing = True
                await self._emit(EngineFailed(failure_of(error, "voice activity detection")))
            return []
        self._failing = False
        return probabilities

    async def _glimpse(self) -> float:
        try:
            return await self._detection.glimpse()
        except Exception:  # A provider that still fails when the window is full is told of then.
            return 0.0

    async def _began(self, at: int) -> None:
        if self._judging is not None:
            self._judging.cancel()
        sound, first = self._heard.stretch(max(at - _ONSET_BACK, self._last_end), self._fed)
        begin = first_of_speech(sound, first, at)
        self._begin = begin
        if begin - self._last_end > _LONGEST_PAUSE or self._turn_begin < self._taken:
            self._new_turn(begin)
        await self._emit(SpeechStarted(self._at_input(begin)))

    async def _ceased(self, at: int) -> None:
        sound, first = self._heard.stretch(at - _END_BACK, self._edges.position)
        self._last_end = max(last_of_speech(sound, first, at), at - _MODEL_LAG)
        await self._emit(SpeechEnded(self._at_input(self._last_end)))
        if self._turn_end is not None:
            turn, _ = self._heard.stretch(max(self._turn_begin, self._edges.position - _TURN), self._edges.position)
            quiet = self._edges.position - self._last_end
            self._spoken = turn, quiet
            settled = settled_after(turn, quiet, _SETTLED)
            judging = self._judge_turn(self._turn_end, settled, self._at_input(self._last_end))
            self._judging = self._tasks.create_task(judging, name="turn end")

    def _new_turn(self, begin: int) -> None:
        self._before.add(*self._spoken)
        self._spoken = b"", 0
        self._turn_begin = begin

    async def _judge_turn(self, turn_end: TurnEnd, pcm: bytes, at_sample: int) -> None:
        try:
            async with asyncio.timeout(_TURN_END_S):
                probability = await turn_end.probability(pcm, self._before.pcm)
        except TimeoutError:
            late = TimedOutError("Judging the end of a turn took too long; give the server more processors.")
            await self._emit(EngineFailed(Failure.of(late)))
        except VivavoceError as error:
            await self._emit(EngineFailed(Failure.of(error)))
        except Exception as error:  # A fault in the provider must not end the session.
            await self._emit(EngineFailed(failure_of(error, "turn end detection")))
        else:
            await self._emit(TurnEndEstimated(at_sample, probability))

    def _at_input(self, sample: int) -> int:
        return max(0, sample) * self._input_rate_hz // HEARING_RATE_HZ
