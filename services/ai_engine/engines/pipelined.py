"""The engine made of a recogniser, a language model and a synthesizer, with perception of its own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, assert_never

from mesh.audio import StreamResampler, check_pcm, samples
from mesh.clock import Clock
from mesh.errors import BadAudioError
from services.ai_engine.domain.roles import (
    HEARING_RATE_HZ,
    LanguageModel,
    Recognizer,
    StreamingRecognizer,
    Synthesizer,
    TurnEnd,
    TurnMark,
)
from services.ai_engine.domain.run import (
    AppendAudio,
    Assess,
    Cancel,
    Command,
    Configure,
    Configured,
    Emit,
    Event,
    Recognize,
    ReportHeard,
    Respond,
    Selection,
    Speak,
    SpeechEnded,
    SpeechStarted,
    TurnEndEstimated,
)
from services.ai_engine.engines.assessments import Assessments
from services.ai_engine.engines.faults import single_error
from services.ai_engine.engines.listening_along import ListeningAlong
from services.ai_engine.engines.memory import HeardSound
from services.ai_engine.engines.perception import Ear, Perception
from services.ai_engine.engines.recognition import Recognitions
from services.ai_engine.engines.replies import Replies
from services.ai_engine.engines.reply import Voice
from services.ai_engine.feedback.assessor import Assessor

#: What a session remembers of what it heard, in seconds.
MEMORY_S: Final = 60.0
#: How likely a turn is over that broke off, by the words.
_UNFINISHED: Final = 0.15
#: One second at the highest rate. At a lower one more time may come at once, after the network held it up.
_LONGEST_BYTES: Final = 96_000


@dataclass(frozen=True, slots=True)
class Parts:
    """The providers an engine is made of, shared by all sessions."""

    ear: Ear
    turn_end: TurnEnd
    recognizer: Recognizer
    language_model: LanguageModel
    synthesizer: Synthesizer
    #: Who remarks on turns; None where nobody shall.
    assessor: Assessor | None = None
    #: Which of those behind `recognizer` scores pronunciation; empty where none does.
    scorer: str = ""


class PipelinedEngine:
    """Recogniser, language model and synthesizer, one after another (Engine)."""

    def __init__(self, parts: Parts, selection: Selection, *, clock: Clock) -> None:
        self._parts = parts
        self._selection = selection
        self._clock = clock

    def configured(self, configure: Configure) -> Configured:
        """The selection this engine was made for, and what its providers say of themselves."""
        parts = self._parts
        used = [each.capabilities for each in (parts.recognizer, parts.language_model, parts.synthesizer)]
        return Configured(
            selection=self._selection,
            output_rate_hz=configure.output_rate_hz,
            labels=tuple(each.label for each in used),
            local=all(each.local for each in used),
        )

    @asynccontextmanager
    async def open(self, configure: Configure, emit: Emit) -> AsyncIterator["PipelinedSession"]:
        """Opens a session; all its tasks end with the block."""
        with single_error():
            async with asyncio.TaskGroup() as tasks:
                session = PipelinedSession(
                    self._parts, self._selection, configure, emit=emit, clock=self._clock, tasks=tasks
                )
                yield session
                session.close()


class PipelinedSession:
    """One session (EngineSession)."""

    def __init__(
        self,
        parts: Parts,
        selection: Selection,
        configure: Configure,
        *,
        emit: Emit,
        clock: Clock,
        tasks: asyncio.TaskGroup,
    ) -> None:
        rate_hz = configure.input_rate_hz
        heard = HeardSound(MEMORY_S)
        self._heard = heard
        self._next_sample = 0
        self._resampler = StreamResampler(rate_hz, HEARING_RATE_HZ)
        self._input_rate_hz = rate_hz
        self._emit = emit
        self._along = (
            ListeningAlong(recognizer=parts.recognizer, heard=heard, language=configure.language, tasks=tasks)
            if isinstance(parts.recognizer, StreamingRecognizer)
            else None
        )
        self._perception = Perception(
            ear=parts.ear,
            # A recogniser that judges it too has more to go by: the words.
            turn_end=None if parts.recognizer.capabilities.turn_ends else parts.turn_end,
            heard=heard,
            input_rate_hz=rate_hz,
            emit=self._perceived,
            tasks=tasks,
        )
        self._recognitions = Recognitions(
            recognizer=parts.recognizer,
            along=self._along,
            heard=heard,
            input_rate_hz=rate_hz,
            language=configure.language,
            emit=emit,
            clock=clock,
            tasks=tasks,
        )
        self._replies = Replies(
            language_model=parts.language_model,
            voice=Voice(parts.synthesizer, selection.voice, selection.speaking_rate, configure.output_rate_hz),
            recognized_ms=self._recognitions.take_recognized_ms,
            emit=emit,
            clock=clock,
            tasks=tasks,
            judged=self._judged,
        )
        self._assessments = Assessments(
            parts.assessor,
            heard=heard,
            input_rate_hz=rate_hz,
            quiet=self._replies.quiet,
            emit=emit,
            scorer=parts.scorer,
        )
        #: The end of the speech before the present pause; None while the learner speaks.
        self._paused_at: int | None = None
        tasks.create_task(self._perception.run(), name="perception")
        tasks.create_task(self._assessments.run(), name="remarks")

    async def handle(self, command: Command) -> None:
        """Takes the next command."""
        match command:
            case AppendAudio():
                await self._append(command)
            case Recognize():
                await self._recognitions.ask(command)
            case Respond():
                await self._replies.respond(command)
            case Speak():
                await self._replies.speak(command)
            case Cancel(reply_id):
                self._replies.cancel(reply_id)
            case Assess(to_sample=to_sample):
                self._perception.turn_taken(to_sample)
                self._assessments.ask(command)
            case ReportHeard():
                pass  # The next Respond brings what was heard with it; this engine remembers nothing else.
            case never:
                assert_never(never)

    def close(self) -> None:
        """Says that no command will come any more; replies in the making go on to their end."""
        self._perception.close()
        self._assessments.close()
        if self._along:
            self._along.close()

    async def _perceived(self, event: Event) -> None:
        """Tells an edge to who listens along, and then to the caller."""
        match event:
            case SpeechStarted():
                self._paused_at = None
            case SpeechEnded(at_sample):
                self._paused_at = at_sample
            case _:
                pass
        if self._along:
            match event:
                case SpeechStarted(at_sample):
                    self._along.speech_began(at_sample * HEARING_RATE_HZ // self._input_rate_hz)
                case SpeechEnded():
                    self._along.speech_ended()
                case _:
                    pass
        await self._emit(event)

    async def _judged(self, mark: TurnMark) -> None:
        """By the words the turn is less likely over than by its sound; more likely it never makes it."""
        match mark:
            case "finished":
                return
            case "unfinished" | "thinking":
                if self._paused_at is not None:
                    await self._emit(TurnEndEstimated(self._paused_at, _UNFINISHED if mark == "unfinished" else 0.0))
            case never:
                assert_never(never)

    async def _append(self, audio: AppendAudio) -> None:
        check_next(audio, self._next_sample)
        self._next_sample += samples(audio.pcm)
        pcm = self._resampler.feed(audio.pcm)
        if pcm:
            self._heard.append(pcm)
            if self._along:
                self._along.heard_more()
            await self._perception.feed(pcm)


def check_next(audio: AppendAudio, next_sample: int) -> None:
    """Sees to it that `audio` is what the stream was configured for.

    Raises:
        BadAudioError: its position is not the next, its byte count is odd, or it is longer than the contract allows.
    """
    check_pcm(audio.pcm, "append_audio.pcm")
    if len(audio.pcm) > _LONGEST_BYTES:
        raise BadAudioError(
            f"append_audio.pcm holds more than {_LONGEST_BYTES} bytes; send it in pieces.", field="append_audio.pcm"
        )
    if audio.first_sample != next_sample:
        raise BadAudioError(
            f"append_audio.first_sample must be {next_sample}, the sample after the last one sent.",
            field="append_audio.first_sample",
            metadata={"expected": str(next_sample), "got": str(audio.first_sample)},
        )
