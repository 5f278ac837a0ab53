"""The engine of one model that hears and answers by itself; other such models stand in for it, then pipelined parts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import assert_never

from mesh.audio import StreamResampler, samples
from mesh.clock import Clock
from services.ai_engine.adapters.chain import Chain, Link
from services.ai_engine.adapters.paid import Purse
from services.ai_engine.domain.roles import HEARING_RATE_HZ, TurnEnd
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
)
from services.ai_engine.domain.voice import (
    AnswerEnded,
    AnswerSound,
    AnswerText,
    AnswerWord,
    AnswerWritten,
    Complaint,
    PauseFound,
    SoundTaken,
    SoundUnderstood,
    SpeechFound,
    SpeechToSpeech,
    TurnTaking,
    VoiceEvent,
    VoiceSetup,
)
from services.ai_engine.engines.assessments import Assessments
from services.ai_engine.engines.faults import single_error
from services.ai_engine.engines.memory import HeardSound
from services.ai_engine.engines.perception import Ear, Perception
from services.ai_engine.engines.pipelined import MEMORY_S, Parts, check_next
from services.ai_engine.engines.stand_ins import StandIns
from services.ai_engine.engines.their_turns import TheirTurns
from services.ai_engine.engines.voice_line import VoiceLine
from services.ai_engine.engines.voice_party import Party
from services.ai_engine.engines.voice_replies import VoiceReplies
from services.ai_engine.engines.voice_turns import Ears, VoiceTurns
from services.ai_engine.feedback.assessor import Assessor
from services.ai_engine.prompts.talk import TalkPrompt


@dataclass(frozen=True, slots=True)
class VoiceParts:
    """What the engine is made of, shared by all sessions."""

    #: The model that was chosen, and those that stand in for it.
    voices: Chain[SpeechToSpeech]
    ear: Ear
    turn_end: TurnEnd
    prompt: TalkPrompt
    turn_taking: TurnTaking
    #: Who hears, thinks and speaks where no model does; None where nobody may.
    stand_ins: Parts | None
    #: What the models are used out of; None where nobody counts.
    purse: Purse | None = None
    #: Who remarks on turns; None where nobody shall.
    assessor: Assessor | None = None


class UnifiedEngine:
    """A model from speech to speech (Engine). Perception and turn end stay ours, unless turns are the vendor's."""

    def __init__(self, parts: VoiceParts, selection: Selection, *, clock: Clock) -> None:
        self._parts = parts
        self._selection = selection
        self._clock = clock

    def configured(self, configure: Configure) -> Configured:
        """The selection this engine was made for, and what the model says of itself."""
        known = self._parts.voices.first.capabilities
        return Configured(self._selection, configure.output_rate_hz, (known.label,), known.local)

    @asynccontextmanager
    async def open(self, configure: Configure, emit: Emit) -> AsyncIterator["UnifiedSession"]:
        """Opens a session; all its tasks end with the block."""
        with single_error():
            async with asyncio.TaskGroup() as tasks:
                session = UnifiedSession(
                    self._parts, self._selection, configure, emit=emit, clock=self._clock, tasks=tasks
                )
                try:
                    yield session
                    await session.finish()
                finally:
                    session.close()


class UnifiedSession:
    """One session (EngineSession)."""

    def __init__(
        self,
        parts: VoiceParts,
        selection: Selection,
        configure: Configure,
        *,
        emit: Emit,
        clock: Clock,
        tasks: asyncio.TaskGroup,
    ) -> None:
        rate_hz = configure.input_rate_hz
        self._emit = emit
        self._theirs = parts.turn_taking == "theirs"
        self._heard = heard = HeardSound(MEMORY_S)
        self._next_sample = 0
        self._resampler = StreamResampler(rate_hz, HEARING_RATE_HZ)
        self._perception = Perception(
            ear=parts.ear,
            turn_end=parts.turn_end,
            heard=heard,
            input_rate_hz=rate_hz,
            emit=self._perceived,
            tasks=tasks,
        )
        stand_ins = (
            StandIns(parts.stand_ins, configure, selection, heard=heard, emit=emit, clock=clock, tasks=tasks)
            if parts.stand_ins
            else None
        )
        self._speaker = stand_ins.replies if stand_ins else None
        self._parties = {
            link.name: self._party(link, parts, selection, configure, clock, tasks) for link in parts.voices.links
        }
        self._first = self._parties[parts.voices.links[0].name]
        patience = parts.voices.patience
        ears = Ears(
            party=self._first,
            heard=heard,
            input_rate_hz=rate_hz,
            stand_in=stand_ins.recognitions if stand_ins else None,
            understood_s=patience.stall_s if stand_ins else patience.within_s,
            emit=emit,
            clock=clock,
            tasks=tasks,
        )
        self._turns: TheirTurns | VoiceTurns = TheirTurns(ears) if self._theirs else VoiceTurns(ears)
        self._replies = VoiceReplies(
            chain=parts.voices,
            parties=self._parties,
            output_rate_hz=configure.output_rate_hz,
            stand_in=self._speaker,
            recognized_ms=ears.take_recognized_ms,
            emit=emit,
            clock=clock,
        )
        self._assessments = Assessments(
            parts.assessor, heard=heard, input_rate_hz=rate_hz, quiet=self._first.line.idle.wait, emit=emit
        )
        self._assessing = tasks.create_task(self._assessments.run(), name="remarks")
        self._perceiving = tasks.create_task(self._perception.run(), name="perception")
        self._giving = tasks.create_task(self._turns.run(), name="sound to the voice line")
        self._replying = tasks.create_task(self._replies.run(), name="voice replies")
        self._first.line.warm()

    def _party(
        self,
        link: Link[SpeechToSpeech],
        parts: VoiceParts,
        selection: Selection,
        configure: Configure,
        clock: Clock,
        tasks: asyncio.TaskGroup,
    ) -> Party:
        """Only the first hears; the others are told in writing what was said."""
        name, voice = link.name, link.provider
        is_first = link is parts.voices.links[0]
        setup = VoiceSetup(
            configure.language,
            selection.voice if selection.voice in voice.capabilities.voices else "",
            selection.speaking_rate,
            parts.turn_taking if is_first else "ours",
        )
        line = VoiceLine(
            voice=voice,
            setup=setup,
            take=lambda event: self._take(self._parties[name], event),
            lost=lambda: self._lost(self._parties[name]),
            health=link.health,
            clock=clock,
            tasks=tasks,
        )
        return Party(voice, line, prompt=parts.prompt, purse=parts.purse, output_rate_hz=configure.output_rate_hz)

    async def handle(self, command: Command) -> None:
        """Takes the next command."""
        match command:
            case AppendAudio():
                await self._append(command)
            case Recognize():
                await self._turns.ask(command)
            case Respond():
                await self._replies.ask(command)
            case Speak() if self._speaker is not None:
                # A model asked to read a line may say something else; a synthesizer does not.
                await self._speaker.speak(command)
            case Speak():
                await self._replies.ask(command)
            case Cancel(reply_id):
                self._replies.cancel(reply_id)
            case Assess(to_sample=to_sample):
                self._perception.turn_taken(to_sample)
                self._assessments.ask(command)
            case ReportHeard():
                await self._replies.heard(command)
            case never:
                assert_never(never)

    async def finish(self) -> None:
        """No command will come any more; replies in the making go on to their end."""
        self._perception.close()
        self._replies.close()
        self._assessments.close()
        await asyncio.wait((self._replying, self._assessing))

    def close(self) -> None:
        """Ends the connection and what serves it."""
        self._giving.cancel()
        self._assessing.cancel()
        for party in self._parties.values():
            party.line.close()

    async def _append(self, audio: AppendAudio) -> None:
        check_next(audio, self._next_sample)
        self._next_sample += samples(audio.pcm)
        if pcm := self._resampler.feed(audio.pcm):
            self._heard.append(pcm)
            self._turns.heard_more()
            await self._perception.feed(pcm)

    async def _perceived(self, event: Event) -> None:
        """Our own perception; where turns are the vendor's it counts only while there is no connection."""
        match self._turns:
            case VoiceTurns() as ours:
                if isinstance(event, SpeechStarted):
                    ours.speech_began(event.at_sample)
                elif isinstance(event, SpeechEnded):
                    ours.speech_ended()
                await self._emit(event)
            case TheirTurns():
                if not self._first.line.is_up:
                    await self._emit(event)
            case never:
                assert_never(never)

    async def _take(self, party: Party, event: VoiceEvent) -> None:
        match event:
            case AnswerText() | AnswerWritten() | AnswerSound() | AnswerWord() | AnswerEnded():
                await self._replies.take(party, event)
            case SoundUnderstood():
                self._turns.understood(event)
            case SoundTaken():
                if isinstance(self._turns, VoiceTurns):
                    self._turns.taken(event)
            case SpeechFound():
                if isinstance(self._turns, TheirTurns):
                    await self._turns.speech_found(event)
            case PauseFound():
                if isinstance(self._turns, TheirTurns):
                    await self._turns.pause_found(event)
            case Complaint():
                party.line.complain(event)
            case never:
                assert_never(never)

    def _lost(self, party: Party) -> None:
        if party is self._first:
            self._turns.lost()
        self._replies.lost(party)
