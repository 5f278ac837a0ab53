"""One live session: the client's wire, the engine's stream, the store and the clock around the machine."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final

from vivavoce.conversation.v1 import conversation_service_pb2 as service_pb
from vivavoce.conversation.v1 import converse_pb2 as converse_pb

from mesh.audio import samples
from mesh.clock import Clock
from mesh.entitlement import Entitlement
from mesh.errors import BadAudioError, VivavoceError
from mesh.identity import Caller
from mesh.mailbox import Closed, Mailbox
from mesh.telemetry import count_draft, count_wasted_tokens
from services.conversation.domain import events
from services.conversation.domain.commands import (
    Assess,
    CancelMaking,
    ChangeEngine,
    Close,
    Command,
    CountDraft,
    CountWaste,
    Recognize,
    ReportHeard,
    Respond,
    Speak,
    StoreReply,
    StoreTurn,
    Tell,
    ToStore,
)
from services.conversation.domain.session import Session
from services.conversation.domain.things import Failure
from services.conversation.domain.told import ReplyAudio, ReplyMeasured
from services.conversation.live.engine_link import EngineLink
from services.conversation.live.keeper import Keeper
from services.conversation.live.microphone import Microphone
from services.conversation.live.pace import Pace
from services.conversation.live.recording import Recording
from services.conversation.live.traces import trace_turn
from services.conversation.live.wire import ClientStream, Wire
from services.conversation.wire.client import to_event, to_response
from services.conversation.wire.common import from_engine

#: Events that wait for the machine; a full queue makes those who put wait.
EVENTS: Final = 256
_SILENT: Final = Failure(
    "IDLE", "The client sent nothing for a long time; open the conversation again.", retryable=True
)


class LiveSession:
    """Everything that happens goes through one queue into the machine; only sound takes the short way."""

    def __init__(
        self,
        *,
        entitlement: Entitlement,
        wire: Wire,
        post_box: Mailbox[events.Event],
        microphone: Microphone,
        pace: Pace,
        engine: EngineLink,
        keeper: Keeper,
        recording: Recording | None,
        making: set[str],
        clock: Clock,
        silence_s: float,
    ) -> None:
        self._entitlement = entitlement
        self._wire = wire
        self._events = post_box
        self._post = poster(post_box)
        self._microphone = microphone
        self._pace = pace
        self._engine = engine
        self._keeper = keeper
        self._recording = recording
        #: Replies that are being made, for whoever wants to know how busy the engine is.
        self._making = making
        self._clock = clock
        self._silence_s = silence_s
        self._machine: Session | None = None
        self._started = converse_pb.SessionStarted()
        self._last_message_at = clock.now()
        self._fresh_token = ""
        self._refreshing: asyncio.Task[None] | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at = 0.0
        self._closed = False
        #: Samples of the tutor's sound that went out.
        self.spoken_samples = 0

    async def run(self, machine: Session, started: converse_pb.SessionStarted, first: events.Opened) -> None:
        """Holds the session until it ends; the caller runs the engine and the keeper beside it.

        Raises:
            VivavoceError: the client broke the contract.
        """
        self._machine, self._started = machine, started
        try:
            async with asyncio.TaskGroup() as group:
                beside = [
                    group.create_task(self._listen(group), name="client listener"),
                    group.create_task(self._watch_silence(), name="silence watch"),
                ]
                await self._happen(first)
                await self._happen(self._granted(self._entitlement.who))
                while not self._closed:
                    await self._happen(await self._events.get())
                for task in (*beside, self._refreshing):
                    if task is not None:
                        task.cancel()
        finally:
            self._leave(machine)

    async def resume(self, stream: ClientStream, entitlement: Entitlement, last_sequence: int) -> None:
        """Carries a client that comes back, until the session is over or the client is gone again.

        Raises:
            VivavoceError: what the session, or the stream, ended with.
        """
        self._entitlement = entitlement
        self._last_message_at = self._clock.now()
        await self._post(self._granted(entitlement.who))
        welcome = service_pb.ConverseResponse()
        welcome.session_started.CopyFrom(self._started)
        welcome.session_started.resumed = True
        welcome.session_started.next_input_sample = self._microphone.next_sample
        await self._wire.resume(stream, welcome, last_sequence)

    async def _happen(self, event: events.Event) -> None:
        assert self._machine is not None, "a session runs its machine"
        match event:
            case events.ReplyMade():
                self._making.discard(event.reply_id)
            case events.EngineLost():
                self._making.clear()
            case _:
                pass
        for command in self._machine.handle(event, self._clock.now()):
            await self._carry_out(command)
        self._set_alarm(self._machine.wake_at)

    async def _carry_out(self, command: Command) -> None:
        match command:
            case Tell(sequence, told):
                await self._wire.send(to_response(sequence, told, self._started))
                match told:
                    case ReplyAudio(reply_id, first_sample, pcm):
                        self.spoken_samples += samples(pcm)
                        if self._recording is not None:
                            self._recording.sent(reply_id, first_sample, pcm)
                    case ReplyMeasured():
                        trace_turn(told, self._clock)
                    case _:
                        pass
            case ChangeEngine(engine):
                await self._engine.change(from_engine(engine))
            case Recognize() | Respond() | Assess() | Speak() | CancelMaking() | ReportHeard():
                if isinstance(command, Respond | Speak):
                    self._making.add(command.reply_id)
                await self._engine.send(command)
            case CountDraft(used):
                count_draft("used" if used else "thrown_away")
            case CountWaste(tokens):
                count_wasted_tokens(tokens)
            case Close():
                self._closed = True
            case _:
                self._mark_line(command)
                if failed := self._keeper.keep(command):
                    await self._happen(failed)

    def _mark_line(self, command: ToStore) -> None:
        if self._recording is None:
            return
        if isinstance(command, StoreTurn):
            self._recording.turn_taken(command.record)
        elif isinstance(command, StoreReply):
            self._recording.reply_given(command.record)

    async def _listen(self, group: asyncio.TaskGroup) -> None:
        async for message in self._wire:
            self._last_message_at = self._clock.now()
            self._pace.take(message.WhichOneof("event"), self._last_message_at)
            event = to_event(message)
            if event is not None:
                if self._recording is not None and isinstance(event, events.PlayedReported):
                    self._recording.played(event.reply_id, event.samples, self._microphone.next_sample)
                await self._post(event)
                continue
            match message.WhichOneof("event"):
                case "append_audio":
                    await self._hear(message.append_audio)
                case "commit_turn":
                    await self._post(events.CommitAsked(self._microphone.next_sample, self._last_message_at))
                case "refresh_access":
                    self._refresh(message.refresh_access.access_token, group)
                case _:
                    raise AssertionError("every other message is an event")
        # The client has sent its last: there is nobody left to talk to.
        await self._post(events.EndAsked(end_conversation=False))

    async def _hear(self, audio: converse_pb.AppendAudio) -> None:
        if audio.opus_packets:
            raise BadAudioError("The session's sound is PCM; send pcm.", field="append_audio.opus_packets")
        first_sample, pcm = audio.first_sample, audio.pcm
        self._microphone.take(first_sample, pcm, self._last_message_at)
        if pcm:
            await self._engine.hear(first_sample, pcm)
            if self._recording is not None:
                self._recording.heard(first_sample, pcm)

    def _refresh(self, token: str, group: asyncio.TaskGroup) -> None:
        # Keys may have to be fetched, and the sound does not wait for that. Of tokens that wait, the newest counts.
        self._fresh_token = token
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = group.create_task(self._verify(), name="access refresh")

    async def _verify(self) -> None:
        while token := self._fresh_token:
            self._fresh_token = ""
            try:
                await self._post(self._granted(await self._entitlement.renew(token)))
            except VivavoceError as error:
                await self._post(events.Faulted(Failure.of(error)))

    def _granted(self, who: Caller) -> events.AccessGranted:
        return events.AccessGranted(self._clock.now() + who.expires_at - self._clock.wall().timestamp())

    async def _watch_silence(self) -> None:
        while (left_s := self._last_message_at + self._silence_s - self._clock.now()) > 0:
            await self._clock.sleep(left_s)
        await self._post(events.Dismissed(_SILENT))

    def _set_alarm(self, at: float | None) -> None:
        """One timer for all; one that goes off early does no harm, so it is moved only towards now."""
        if at is None or (self._alarm is not None and self._alarm_at <= at):
            return
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm_at = at
        self._alarm = asyncio.get_running_loop().call_later(max(0.0, at - self._clock.now()), self._wake)

    def _wake(self) -> None:
        self._alarm = None
        # A full queue wakes the machine anyway.
        self._events.offer(events.Woke())

    def _leave(self, machine: Session) -> None:
        """However the session ended: what was heard until now is kept, and nothing more comes in."""
        if self._alarm is not None:
            self._alarm.cancel()
        for command in machine.handle(events.Vanished(), self._clock.now()):
            if isinstance(command, ToStore):
                self._mark_line(command)
                self._keeper.keep(command)
        self._keeper.close()
        self._events.close()


def poster(box: Mailbox[events.Event]) -> Callable[[events.Event], Coroutine[Any, Any, None]]:
    """Puts events into a session's queue, waiting for room; drops them when the session has ended."""

    async def post(event: events.Event) -> None:
        # Offering costs no suspension.
        if not box.offer(event):
            with suppress(Closed):
                await box.put(event)

    return post
