"""Makes one reply: text as it is written, clause by clause into speech, the next clause while one is told."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Final, assert_never

from mesh.clock import Clock
from mesh.mailbox import Closed, Mailbox
from mesh.telemetry import part_span
from services.ai_engine.adapters.clauses import ClauseSplitter
from services.ai_engine.adapters.one_voice import speaking
from services.ai_engine.adapters.patience import patiently, waited_for, waiting_since
from services.ai_engine.domain import roles
from services.ai_engine.domain.begun import Begun
from services.ai_engine.domain.roles import (
    ReplyPart,
    Speaking,
    SpeechChunk,
    StateAdvanced,
    Synthesizer,
    TextDelta,
    TextEnded,
    TokensUsed,
    TurnMark,
    TurnMarked,
)
from services.ai_engine.domain.run import (
    CorrectionFound,
    Emit,
    Failure,
    Progress,
    ReplyAudioProduced,
    ReplyEnd,
    ReplyFinished,
    ReplyTextProduced,
    TalkSummarised,
    ToolCalled,
)
from services.ai_engine.engines.faults import failure_of, single_error
from services.ai_engine.engines.reply_sound import ReplySound

#: Clauses that may wait to be spoken. Full: the language model waits.
_CLAUSES: Final = 8
#: Clauses whose synthesis has begun besides the one that is told. Full: the next one waits.
_AHEAD: Final = 1
#: Pieces of one clause that may wait to be told. Full: its synthesis waits.
_CHUNKS: Final = 8
#: A provider that gives nothing for so long has failed.
_STALL_S: Final = 20.0


@dataclass(frozen=True, slots=True)
class Voice:
    """Who speaks, and how."""

    synthesizer: Synthesizer
    name: str
    speaking_rate: float
    output_rate_hz: int


@dataclass(frozen=True, slots=True)
class Wording:
    """Where the words of a reply come from, and what it answers."""

    reply_id: str
    parts: Callable[[], AsyncIterator[ReplyPart]]
    turn_id: str = ""
    revision: int = 0
    scenario_id: str = ""
    #: What another told of it already; the parts begin with the rest of that.
    begun: Begun = field(default_factory=Begun)
    #: Takes whether the learner had finished, where the model judges it.
    judged: Callable[[TurnMark], Awaitable[None]] | None = None


@dataclass(frozen=True, slots=True)
class _Clause:
    text: str
    chunks: Mailbox[SpeechChunk] = field(default_factory=lambda: Mailbox(_CHUNKS))


class Reply:
    """One reply in the making."""

    def __init__(self, wording: Wording, voice: Voice, *, emit: Emit, clock: Clock) -> None:
        self._wording = wording
        self._voice = voice
        self._emit = emit
        self._clock = clock
        self._begun_s = waiting_since(clock)
        self._first_clause_s: float | None = None
        self._first_sound_s: float | None = None
        self._scope = asyncio.timeout(None)
        self._entered = False
        self._cancelled = False
        self._state: StateAdvanced | None = None
        begun = wording.begun
        self._usage = begun.usage
        #: Letters of the text that were told already.
        self._told = len(begun.rest)
        self._sound = ReplySound(
            wording.reply_id,
            from_hz=voice.synthesizer.capabilities.sample_rate_hz,
            to_hz=voice.output_rate_hz,
            first_sample=begun.samples,
            announced=begun.announced,
        )

    def cancel(self) -> None:
        """Stops the work at once; `make` returns soon after."""
        self._cancelled = True
        if self._entered and not self._scope.expired():
            # A deadline that is now: unlike cancelling the task, it can't be taken for the end of the session.
            self._scope.reschedule(asyncio.get_running_loop().time())

    async def make(self) -> ReplyFinished:
        """Tells text and sound as they come; returns how it ended, whatever happened."""
        if self._cancelled:
            return self._finished("cancelled")
        try:
            async with self._scope:
                self._entered = True
                with single_error(), waited_for(self._clock.now()):
                    await self._produce()
        except Exception as error:  # A reply fails alone: the session goes on, and hears of it in `failure`.
            if isinstance(error, TimeoutError) and self._scope.expired():
                return self._finished("cancelled")
            return self._finished("failed", failure_of(error, "reply"))
        finally:
            self._entered = False
        return self._finished("complete")

    async def _produce(self) -> None:
        clauses: Mailbox[str] = Mailbox(_CLAUSES)
        begun: Mailbox[_Clause] = Mailbox(_AHEAD)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._write(clauses), name="writing")
            tasks.create_task(self._speak(clauses, begun), name="speaking")
            await self._tell(begun)

    async def _write(self, clauses: Mailbox[str]) -> None:
        splitter = ClauseSplitter()
        with part_span("model"), waited_for(self._begun_s):
            async with aclosing(patiently(self._wording.parts(), "language model", lambda: _STALL_S)) as parts:
                async for part in parts:
                    match part:
                        case TextDelta(text):
                            for clause in splitter.feed(text):
                                await self._written(clauses, clause)
                        case roles.CorrectionFound():
                            wording = self._wording
                            await self._emit(CorrectionFound(wording.turn_id, wording.revision, wording.reply_id, part))
                        case roles.ToolCalled(name, arguments):
                            await self._emit(ToolCalled(self._wording.reply_id, name, arguments))
                        case TurnMarked(mark):
                            if self._wording.judged is not None:
                                await self._wording.judged(mark)
                        case TextEnded():
                            await self._written(clauses, splitter.flush())
                        case StateAdvanced():
                            self._state = part
                            # The text is over: its last clause need not wait for corrections.
                            await self._written(clauses, splitter.flush())
                        case roles.TalkSummarised(summary):
                            await self._emit(TalkSummarised(self._wording.reply_id, summary))
                        case TokensUsed(input_tokens, output_tokens):
                            self._used(input_tokens, output_tokens)
                        case never:
                            assert_never(never)
        await self._written(clauses, splitter.flush())
        clauses.close()

    def _used(self, input_tokens: int, output_tokens: int) -> None:
        """Told once for the answer, and once for each thing that was asked beside it."""
        usage = self._usage
        self._usage = replace(
            usage,
            input_tokens=usage.input_tokens + input_tokens,
            output_tokens=usage.output_tokens + output_tokens,
        )

    async def _written(self, clauses: Mailbox[str], clause: str) -> None:
        if not clause:
            return
        if self._first_clause_s is None:
            self._first_clause_s = self._clock.now()
        await clauses.put(clause)

    async def _speak(self, clauses: Mailbox[str], begun: Mailbox[_Clause]) -> None:
        voice = self._voice
        # Connected while the model still thinks.
        async with (
            speaking(voice.synthesizer, voice=voice.name, rate=voice.speaking_rate) as spoken,
            asyncio.TaskGroup() as tasks,
        ):
            while True:
                try:
                    clause = _Clause(await clauses.get())
                except Closed:
                    begun.close()
                    return
                await begun.put(clause)
                tasks.create_task(self._synthesize(clause, spoken), name="synthesis")

    async def _synthesize(self, clause: _Clause, spoken: Speaking) -> None:
        text = clause.text.strip()
        if any(letter.isalnum() for letter in text):
            self._usage = replace(self._usage, spoken_characters=self._usage.spoken_characters + len(text))
            # What the words took is not the voice's to make up for.
            with part_span("speech"), waited_for(self._clock.now()):
                await self._take(clause, spoken.say(text))
        clause.chunks.close()

    async def _take(self, clause: _Clause, speech: AsyncIterator[SpeechChunk]) -> None:
        async with aclosing(patiently(speech, "synthesizer", lambda: _STALL_S)) as chunks:
            async for chunk in chunks:
                await clause.chunks.put(chunk)

    async def _tell(self, begun: Mailbox[_Clause]) -> None:
        while True:
            try:
                clause = await begun.get()
            except Closed:
                break
            await self._tell_clause(clause)
        for piece in self._sound.flush():
            await self._tell_sound(piece)

    async def _tell_sound(self, piece: ReplyAudioProduced) -> None:
        if self._first_sound_s is None:
            self._first_sound_s = self._clock.now()
        await self._emit(piece)

    async def _tell_clause(self, clause: _Clause) -> None:
        """The text right before its sound, so that who hears the one can have read the other."""
        self._sound.begin_clause()
        told = min(self._told, len(clause.text))
        self._told -= told
        text = clause.text[told:]
        while True:
            try:
                chunk = await clause.chunks.get()
            except Closed:
                break
            if text:
                await self._emit(ReplyTextProduced(self._wording.reply_id, text))
                text = ""
            # What came meanwhile goes out with it, in fewer messages.
            chunks = [chunk, *[await clause.chunks.get() for _ in range(len(clause.chunks))]]
            pcm = b"".join(each.pcm for each in chunks)
            for piece in self._sound.feed(pcm, [word for each in chunks for word in each.words]):
                await self._tell_sound(piece)
                # Lets the piece leave, and other sessions run, before the next is cut.
                await asyncio.sleep(0)
        if text:
            await self._emit(ReplyTextProduced(self._wording.reply_id, text))

    def _finished(self, end: ReplyEnd, failure: Failure | None = None) -> ReplyFinished:
        state = self._state
        return ReplyFinished(
            reply_id=self._wording.reply_id,
            end=end,
            total_samples=self._sound.total_samples,
            tutor_state=state.state if state else "",
            progress=self._progress(state) if state else None,
            failure=failure,
            usage=replace(
                self._usage,
                first_text_ms=self._usage.first_text_ms or _ms(self._begun_s, self._first_clause_s),
                first_audio_ms=self._usage.first_audio_ms or _ms(self._first_clause_s, self._first_sound_s),
            ),
        )

    def _progress(self, state: StateAdvanced) -> Progress:
        return Progress(self._wording.scenario_id, state.reached_goal_ids, state.goal_count, state.finished)


def _ms(begin_s: float | None, end_s: float | None) -> float:
    return 0.0 if begin_s is None or end_s is None else (end_s - begin_s) * 1000
