"""An engine that gives the learner's sound back at once, to measure what everything around an engine costs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, assert_never

from mesh.audio import samples
from services.ai_engine.domain.roles import Capabilities
from services.ai_engine.domain.run import (
    AppendAudio,
    Assess,
    Cancel,
    Command,
    Configure,
    Configured,
    Emit,
    Recognize,
    ReplyAudioProduced,
    ReplyEnd,
    ReplyFinished,
    ReportHeard,
    Respond,
    Selection,
    Speak,
    TranscriptRevised,
)
from services.ai_engine.engines.pipelined import check_next

_LABEL: Final = "Echo, for measurements: says back what it hears, understands nothing."


class EchoEngine:
    """From a Respond on, each AppendAudio comes back as sound of that reply: same bytes, same rate."""

    name = "echo"
    capabilities = Capabilities(languages=frozenset(), local=True, label=_LABEL)

    def configured(self, configure: Configure) -> Configured:
        """Output has the rate of the input, whatever was wished."""
        return Configured(
            selection=Selection(kind="unified", speech_to_speech=self.name),
            output_rate_hz=configure.input_rate_hz,
            labels=(_LABEL,),
            local=True,
        )

    @asynccontextmanager
    async def open(self, configure: Configure, emit: Emit) -> AsyncIterator["EchoSession"]:
        """Opens a session, which has no tasks."""
        session = EchoSession(emit)
        yield session
        await session.finish("complete")


class EchoSession:
    """One session (EngineSession)."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._next_sample = 0
        self._reply_id = ""
        self._echoed = 0

    async def handle(self, command: Command) -> None:
        """Takes the next command."""
        match command:
            case AppendAudio():
                await self._append(command)
            case Respond(reply_id=reply_id) | Speak(reply_id=reply_id):
                await self.finish("complete")
                self._reply_id, self._echoed = reply_id, 0
            case Cancel(reply_id):
                if reply_id == self._reply_id:
                    await self.finish("cancelled")
            case Recognize(turn_id, revision, _, to_sample):
                await self._emit(TranscriptRevised(turn_id, revision, "", (), to_sample or self._next_sample))
            case ReportHeard() | Assess():
                pass  # An echo has no memory to cut, and understands nothing.
            case never:
                assert_never(never)

    async def finish(self, end: ReplyEnd) -> None:
        """Ends the reply that is open, if one is."""
        if self._reply_id:
            await self._emit(ReplyFinished(self._reply_id, end, self._echoed))
            self._reply_id = ""

    async def _append(self, audio: AppendAudio) -> None:
        check_next(audio, self._next_sample)
        self._next_sample += samples(audio.pcm)
        if self._reply_id:
            await self._emit(ReplyAudioProduced(self._reply_id, self._echoed, audio.pcm))
            self._echoed += samples(audio.pcm)
