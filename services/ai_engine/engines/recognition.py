"""Answers a session's requests for the text of what was heard."""

import asyncio
from typing import Final

from mesh.clock import Clock
from mesh.errors import OverloadedError
from mesh.telemetry import part_span
from services.ai_engine.adapters.patience import waited_for, waiting_since
from services.ai_engine.domain.roles import HEARING_RATE_HZ, Recognizer, Transcript, Word
from services.ai_engine.domain.run import (
    Emit,
    EngineFailed,
    Failure,
    Recognize,
    TranscriptRevised,
    TurnEndEstimated,
    WordTime,
)
from services.ai_engine.engines.faults import failure_of
from services.ai_engine.engines.listening_along import ListeningAlong
from services.ai_engine.engines.memory import HeardSound

#: Requests of one session that may be in work. Full: the request is refused with EngineFailed OVERLOADED.
_OPEN: Final = 8
#: Sound added on both sides where there is some: recognisers hear a word better whole.
_MARGIN: Final = HEARING_RATE_HZ // 5
_DEADLINE_S: Final = 15.0


class Recognitions:
    """The recognitions of one session. A later revision of a turn ends the work on its earlier ones, unanswered."""

    def __init__(
        self,
        *,
        recognizer: Recognizer,
        along: ListeningAlong | None,
        heard: HeardSound,
        input_rate_hz: int,
        language: str,
        emit: Emit,
        clock: Clock,
        tasks: asyncio.TaskGroup,
    ) -> None:
        self._recognizer = recognizer
        self._along = along
        self._heard = heard
        self._input_rate_hz = input_rate_hz
        self._language = language
        self._emit = emit
        self._clock = clock
        self._tasks = tasks
        self._open: dict[asyncio.Task[None], Recognize] = {}
        self._recognized_ms = 0

    async def ask(self, request: Recognize) -> None:
        """Begins a recognition; the answer is one TranscriptRevised, or EngineFailed."""
        for task, other in self._open.items():
            if other.turn_id == request.turn_id and other.revision < request.revision:
                task.cancel()
        if len(self._open) >= _OPEN:
            full = OverloadedError("Too many recognitions wait in this session; try again when one is answered.")
            await self._emit(EngineFailed(Failure.of(full), request.turn_id, request.revision))
            return
        end = self._at_hearing(request.to_sample) if request.to_sample else self._heard.end
        begin = self._at_hearing(request.from_sample)
        pcm, start = self._heard.stretch(begin - _MARGIN, end + _MARGIN)
        to_sample = min(request.to_sample or self._at_input(self._heard.end), self._at_input(self._heard.end))
        task = self._tasks.create_task(self._recognize(request, pcm, begin, start, to_sample), name="recognition")
        self._open[task] = request
        task.add_done_callback(self._open.pop)

    def take_recognized_ms(self) -> int:
        """Milliseconds recognised since this was last asked."""
        recognized, self._recognized_ms = self._recognized_ms, 0
        return recognized

    async def _recognize(self, request: Recognize, pcm: bytes, begin: int, start: int, to_sample: int) -> None:
        try:
            # Who listened along and did not tell, or another engine, leaves the rest of the time to the others.
            with part_span("perception"), waited_for(waiting_since(self._clock)):
                async with asyncio.timeout(_DEADLINE_S):
                    transcript = await self._transcript(pcm, begin, start)
        except Exception as error:  # The session goes on whatever a provider does.
            failure = failure_of(error, "speech recogniser")
            await self._emit(EngineFailed(failure, request.turn_id, request.revision))
            return
        self._recognized_ms += len(pcm) * 500 // HEARING_RATE_HZ
        margin_s = (begin - start) / HEARING_RATE_HZ
        words = tuple(self._word_time(word, margin_s) for word in transcript.words)
        if transcript.turn_end is not None and request.to_sample:
            await self._emit(TurnEndEstimated(request.to_sample, transcript.turn_end))
        await self._emit(TranscriptRevised(request.turn_id, request.revision, transcript.text, words, to_sample))

    async def _transcript(self, pcm: bytes, begin: int, start: int) -> Transcript:
        """The text of the sound that begins at `start`; what was listened to along from `begin` need not be sent."""
        if not pcm:
            return Transcript("")
        if self._along and (heard := await self._along.transcript(begin)) is not None:
            return heard.moved((begin - start) / HEARING_RATE_HZ)
        return await self._recognizer.recognize(pcm, language=self._language)

    def _word_time(self, word: Word, margin_s: float) -> WordTime:
        begin, end = (max(0, round((time_s - margin_s) * self._input_rate_hz)) for time_s in (word.start_s, word.end_s))
        return WordTime(word.text, begin, end, word.confidence, word.pronunciation)

    def _at_hearing(self, sample: int) -> int:
        return sample * HEARING_RATE_HZ // self._input_rate_hz

    def _at_input(self, sample: int) -> int:
        return sample * self._input_rate_hz // HEARING_RATE_HZ
