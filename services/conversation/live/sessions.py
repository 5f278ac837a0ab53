"""The live sessions of this process: who may open one, which conversation it holds, and how they all end."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from vivavoce.ai_engine.v1 import engine_pb2 as engine_pb
from vivavoce.conversation.v1 import converse_pb2 as converse_pb
from vivavoce.media.v1 import media_pb2 as media_pb
from vivavoce.type.v1 import audio_pb2 as audio_pb

from mesh.clock import Clock
from mesh.errors import (
    ExhaustedError,
    InvalidFieldError,
    OverloadedError,
    PreconditionError,
    TimedOutError,
    UnavailableError,
    VivavoceError,
)
from mesh.identity import Caller
from mesh.ids import new_id
from mesh.mailbox import Mailbox
from mesh.streams import Metadata
from mesh.tokens import TokenVerifier
from services.conversation.domain import events
from services.conversation.domain.choices import Choices
from services.conversation.domain.keeping import Continued, Conversation, Conversations
from services.conversation.domain.session import Session
from services.conversation.domain.state import Setup
from services.conversation.domain.things import Failure
from services.conversation.live.engine_link import EngineLink, Run
from services.conversation.live.keeper import Keeper
from services.conversation.live.live_session import EVENTS, ClientStream, LiveSession, poster
from services.conversation.live.microphone import Microphone
from services.conversation.live.recording import Record, Recording
from services.conversation.settings import Settings
from services.conversation.wire.common import from_engine, to_choices
from services.conversation.wire.conversation import to_message

#: How long the first message may take, and an older session on the same conversation to make room.
_FIRST_S: Final = 10.0
_ROOM_S: Final = 5.0
_CLOSE_S: Final = 2.0
_ELSEWHERE: Final = Failure("CONVERSATION_CLOSED", "The conversation was opened in another session; it goes on there.")
_ENDED: Final = Failure("CONVERSATION_CLOSED", "The conversation was ended.")


@dataclass(frozen=True, slots=True)
class Mesh:
    """What sessions need of the other services."""

    run_engine: Run
    record: Record
    metadata: Callable[[], Metadata]


@dataclass(eq=False, slots=True)
class Seat:
    """A session that is open, or still storing its last words."""

    session_id: str
    conversation_id: str
    user_id: str
    client: str
    open_time: datetime
    post_box: Mailbox[events.Event] = field(default_factory=lambda: Mailbox(EVENTS))
    free: asyncio.Event = field(default_factory=asyncio.Event)


class Sessions:
    """Opens and ends sessions, and owns what outlives their streams: storing, and the end of a recording."""

    def __init__(
        self,
        settings: Settings,
        store: Conversations,
        mesh: Mesh,
        verifier: TokenVerifier,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._store = store
        self._mesh = mesh
        self._verifier = verifier
        self._clock = clock
        self._seats: dict[str, Seat] = {}
        self._afterlife: set[asyncio.Task[None]] = set()
        self._draining = False

    async def converse(self, who: Caller, token: str, stream: ClientStream) -> None:
        """Holds one session on `stream`, until it ends.

        Raises:
            VivavoceError: it can't be opened, the client breaks the contract, or does not read.
        """
        start = await _first(stream)
        seat, known = await self._take_seat(who, start)
        keeper = Keeper(seat.conversation_id, self._store, self._clock, poster(seat.post_box))
        self._outlive(self._keep(seat, keeper), "keeper")
        try:
            await self._hold(who, token, stream, start, seat, known, keeper)
        except BaseExceptionGroup as failures:
            # Whatever else was cancelled because of it, one thing went wrong first.
            if (error := _cause(failures)) is None:
                raise
            raise error from None
        finally:
            keeper.close()
            seat.post_box.close()

    def of_user(self, user_id: str) -> list[Seat]:
        """The person's sessions, newest first."""
        own = [seat for seat in self._seats.values() if seat.user_id == user_id]
        return sorted(own, key=lambda seat: seat.session_id, reverse=True)

    async def clear(self, conversation_id: str) -> None:
        """Ends the session on a conversation that is being ended, and returns when its last words are stored."""
        await self._make_room(conversation_id, _ENDED)

    async def drain(self) -> None:
        """Takes no more sessions, lets those there are finish their sentence, and returns when they are gone."""
        self._draining = True
        seats = list(self._seats.values())
        for seat in seats:
            seat.post_box.offer(events.Draining())
        for seat in seats:
            await seat.free.wait()

    async def settle(self, within_s: float) -> None:
        """Waits until nothing of the sessions that ended is left to be stored, and gives up after `within_s`."""
        if self._afterlife:
            _, late = await asyncio.wait(self._afterlife, timeout=within_s)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)

    def _outlive(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._afterlife.add(task)
        task.add_done_callback(self._afterlife.discard)

    async def _take_seat(self, who: Caller, start: converse_pb.StartSession) -> tuple[Seat, Conversation | None]:
        known: Conversation | None = None
        if start.WhichOneof("target") == "conversation_id":
            known = await self._store.get(start.conversation_id, who.user_id)
            if known.ended:
                raise PreconditionError("The conversation was ended; begin a new one.", reason="CONVERSATION_CLOSED")
            await self._make_room(known.id, _ELSEWHERE)
            # The session before may have stored something meanwhile.
            known = await self._store.get(known.id, who.user_id)
        if await self._store.backlog() >= self._settings.outbox_bound:
            raise OverloadedError("Too much waits for the history service; try again later.")
        self._check_limits(who)
        seat = Seat(new_id("ses"), known.id if known else new_id("cnv"), who.user_id, start.client, self._clock.wall())
        if seat.conversation_id in self._seats:
            raise PreconditionError(
                "The conversation was just opened in another session.", reason="CONVERSATION_CLOSED"
            )
        self._seats[seat.conversation_id] = seat
        return seat, known

    def _check_limits(self, who: Caller) -> None:
        if self._draining:
            raise UnavailableError("The server is stopping; connect again.", reason="DRAINING")
        if len(self._seats) >= self._settings.max_sessions:
            raise OverloadedError("Too many people are talking; try again in a moment.")
        if len(self.of_user(who.user_id)) >= self._settings.max_sessions_per_user:
            raise ExhaustedError(
                f"You have {self._settings.max_sessions_per_user} sessions open; end one first.",
                reason="RATE_LIMITED",
            )

    async def _make_room(self, conversation_id: str, why: Failure) -> None:
        """The newest session wins: a client that lost its wire need not wait until we notice."""
        seat = self._seats.get(conversation_id)
        if seat is None:
            return
        seat.post_box.offer(events.Dismissed(why))
        try:
            async with asyncio.timeout(_ROOM_S):
                await seat.free.wait()
        except TimeoutError:
            raise PreconditionError(
                "The conversation is live in another session that does not end; try again.",
                reason="CONVERSATION_CLOSED",
            ) from None

    async def _keep(self, seat: Seat, keeper: Keeper) -> None:
        try:
            await keeper.run()
        finally:
            del self._seats[seat.conversation_id]
            seat.free.set()

    async def _hold(
        self,
        who: Caller,
        token: str,
        stream: ClientStream,
        start: converse_pb.StartSession,
        seat: Seat,
        known: Conversation | None,
        keeper: Keeper,
    ) -> None:
        choices = known.choices if known else to_choices(start.new_conversation)
        microphone = Microphone(start.input_audio.sample_rate_hz, self._clock.now())
        link = self._link(seat, start, choices, microphone)
        async with asyncio.TaskGroup() as group:
            engine = group.create_task(link.run(), name="engine link")
            configured = await link.configured
            if known is None:
                conversation = await self._store.create(seat.conversation_id, who.user_id, "", choices)
                before = Continued((), "")
            else:
                conversation, before = known, await self._store.continued(known.id)
            recording = self._recording(seat, start, choices, configured)
            live = LiveSession(
                caller=who,
                stream=stream,
                post_box=seat.post_box,
                microphone=microphone,
                engine=link,
                keeper=keeper,
                recording=recording,
                verifier=self._verifier,
                clock=self._clock,
                silence_s=self._settings.silence_s,
            )
            machine = Session(self._setup(seat, start, choices, before, configured))
            started = _started(seat, conversation, configured)
            try:
                await live.run(machine, started, events.Opened(new_conversation=known is None), token)
            finally:
                if recording is not None:
                    recording.close()
            await link.close()
            await asyncio.wait({engine}, timeout=_CLOSE_S)
            engine.cancel()

    def _link(
        self, seat: Seat, start: converse_pb.StartSession, choices: Choices, microphone: Microphone
    ) -> EngineLink:
        configure = engine_pb.Configure(
            conversation_id=seat.conversation_id,
            user_id=seat.user_id,
            engine=from_engine(choices.engine),
            input_audio=start.input_audio,
            output_audio=start.output_audio,
            target_language=choices.target_language,
        )
        return EngineLink(
            self._mesh.run_engine,
            self._mesh.metadata,
            configure,
            post=poster(seat.post_box),
            arrived_at=microphone.arrived_at,
            open_s=self._settings.engine_open_s,
            clock=self._clock,
        )

    def _recording(
        self, seat: Seat, start: converse_pb.StartSession, choices: Choices, configured: engine_pb.Configured
    ) -> Recording | None:
        if not choices.record:
            return None
        recording = Recording(
            self._mesh.record,
            self._mesh.metadata,
            media_pb.StartRecording(
                recording_id=new_id("rec"),
                conversation_id=seat.conversation_id,
                session_id=seat.session_id,
                user_id=seat.user_id,
                learner_audio=start.input_audio,
                tutor_audio=configured.output_audio,
            ),
            poster(seat.post_box),
        )
        self._outlive(recording.run(), "recording")
        return recording

    def _setup(
        self,
        seat: Seat,
        start: converse_pb.StartSession,
        choices: Choices,
        before: Continued,
        configured: engine_pb.Configured,
    ) -> Setup:
        engine = configured.engine
        names = (engine.recognizer, engine.language_model, engine.synthesizer, engine.speech_to_speech)
        return Setup(
            session_id=seat.session_id,
            choices=choices,
            input_rate_hz=start.input_audio.sample_rate_hz,
            output_rate_hz=configured.output_audio.sample_rate_hz,
            lines=before.lines,
            tutor_state=before.tutor_state,
            providers=tuple(name for name in names if name),
            waits=self._settings.waits,
            limits=self._settings.limits,
        )


async def _first(stream: ClientStream) -> converse_pb.StartSession:
    try:
        async with asyncio.timeout(_FIRST_S):
            message = await anext(stream)
    except TimeoutError:
        raise TimedOutError(f"Send start_session within {_FIRST_S:.0f} s of opening the stream.") from None
    except StopAsyncIteration:
        raise _not_configured() from None
    if message.WhichOneof("event") != "start_session":
        raise _not_configured()
    start = message.start_session
    if start.WhichOneof("target") == "resume":
        raise PreconditionError(
            "The session can't be resumed; open its conversation again by its id.", reason="NOT_RESUMABLE"
        )
    for name, audio in (("input_audio", start.input_audio), ("output_audio", start.output_audio)):
        if audio.encoding not in (audio_pb.AUDIO_ENCODING_UNSPECIFIED, audio_pb.AUDIO_ENCODING_PCM_S16LE):
            raise InvalidFieldError(f"{name} must be PCM_S16LE.", field=f"start_session.{name}.encoding")
    return start


def _not_configured() -> PreconditionError:
    return PreconditionError("The first message must be start_session.", reason="STREAM_NOT_CONFIGURED")


def _started(seat: Seat, conversation: Conversation, configured: engine_pb.Configured) -> converse_pb.SessionStarted:
    return converse_pb.SessionStarted(
        session_id=seat.session_id,
        conversation=to_message(conversation),
        engine=configured.engine,
        engine_labels=configured.labels,
        output_audio=configured.output_audio,
    )


def _cause(failures: BaseExceptionGroup) -> VivavoceError | None:
    for failure in failures.exceptions:
        match failure:
            case VivavoceError():
                return failure
            case BaseExceptionGroup():
                if error := _cause(failure):
                    return error
            case _:
                pass
    return None
