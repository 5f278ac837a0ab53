"""Opens what one session stands on: the first message, the engine, the conversation, the recording."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from vivavoce.ai_engine.v1 import engine_pb2 as engine_pb
from vivavoce.conversation.v1 import converse_pb2 as converse_pb
from vivavoce.media.v1 import media_pb2 as media_pb

from mesh.clock import Clock
from mesh.entitlement import Entitlement
from mesh.errors import PreconditionError, TimedOutError, VivavoceError
from mesh.ids import new_id
from mesh.mailbox import Mailbox
from mesh.streams import Metadata
from services.conversation.domain import events
from services.conversation.domain.budget import Budget
from services.conversation.domain.choices import completed
from services.conversation.domain.consent import Consent
from services.conversation.domain.keeping import Continued, Conversation, Conversations
from services.conversation.domain.pauses import PauseHabit
from services.conversation.domain.records import EngineUsed
from services.conversation.domain.session import Session
from services.conversation.domain.state import Setup
from services.conversation.domain.things import NOTHING_USED, Failure, Recollection
from services.conversation.domain.tools import NO_TOOLS
from services.conversation.live import resume_token
from services.conversation.live.engine_link import EngineLink, Run
from services.conversation.live.keeper import Keeper
from services.conversation.live.live_session import LiveSession, poster
from services.conversation.live.meter import Meter
from services.conversation.live.microphone import Microphone
from services.conversation.live.pace import Pace
from services.conversation.live.record_link import Record
from services.conversation.live.recording import Recording
from services.conversation.live.strain_watch import StrainWatch
from services.conversation.live.wire import ClientStream, Wire
from services.conversation.settings import Settings
from services.conversation.wire.common import from_engine, to_choices
from services.conversation.wire.conversation import to_message

#: How long the first message may take, and the engine to end its stream.
_FIRST_S: Final = 10.0
_CLOSE_S: Final = 2.0
_NO_CONSENT: Final = Failure(
    "CONSENT_MISSING",
    "You have not agreed that your sound is kept, so this talk is not recorded; agree in your profile if you like.",
    "recording_consent",
)


@dataclass(frozen=True, slots=True)
class Mesh:
    """What sessions need of the other services."""

    run_engine: Run
    record: Record
    budget: Budget
    consent: Consent
    recall: Callable[[str], Awaitable[Recollection]]
    metadata: Callable[[], Metadata]


@dataclass(eq=False, slots=True)
class Seat:
    """A session that is open, or still storing its last words."""

    session_id: str
    conversation_id: str
    user_id: str
    open_time: datetime
    start: converse_pb.StartSession
    wire: Wire
    post_box: Mailbox[events.Event]
    free: asyncio.Event = field(default_factory=asyncio.Event)
    #: The session, once it is open.
    live: LiveSession | None = None


@dataclass(frozen=True, slots=True)
class Premises:
    """What all sessions share. `outlive` owns work that goes on when a session has ended, under a name."""

    settings: Settings
    store: Conversations
    mesh: Mesh
    clock: Clock
    strain: StrainWatch
    outlive: Callable[[Coroutine[Any, Any, None], str], None]


class Opening:
    """One session, from its seat to its end; `known` is the conversation, where there is one already."""

    def __init__(self, premises: Premises, seat: Seat, known: Conversation | None) -> None:
        self._premises = premises
        self._seat = seat
        self._start = seat.start
        self._known = known
        #: What the engine tells of once the session is over: the reply that was broken off has cost something, too.
        self._late = NOTHING_USED
        self._over = False
        self._post = poster(seat.post_box)
        self._choices = known.choices if known else to_choices(seat.start.new_conversation)

    async def hold(self, entitlement: Entitlement, keeper: Keeper, meter: Meter) -> None:
        """Looks at the budget and opens the engine, then the conversation, and holds the session until it ends.

        Raises:
            BaseExceptionGroup: of what went wrong first, and of what that brought about.
        """
        seat, start, known, choices = self._seat, self._start, self._known, self._choices
        microphone = Microphone(start.input_audio.sample_rate_hz, self._premises.clock.now())
        link = self._link(microphone)
        async with asyncio.TaskGroup() as group:
            engine = group.create_task(link.run(), name="engine link")
            budget = group.create_task(meter.open(), name="budget")
            habit = group.create_task(self._premises.store.habit(seat.user_id), name="habit")
            recalling = group.create_task(self._recall(), name="recall")
            agreeing = group.create_task(self._may_record(), name="consent")
            configured = await link.configured
            await budget
            if known is None:
                conversation = await self._premises.store.create(seat.conversation_id, seat.user_id, "", choices)
                before = Continued((), "", None)
            else:
                conversation, before = known, await self._continued(known.id)
            recording = self._recording(configured) if await agreeing else None
            live = LiveSession(
                entitlement=entitlement,
                wire=seat.wire,
                post_box=seat.post_box,
                microphone=microphone,
                pace=Pace(self._premises.settings.messages_per_s, self._premises.clock.now()),
                engine=link,
                keeper=keeper,
                recording=recording,
                making=self._premises.strain.making(seat.session_id),
                clock=self._premises.clock,
                silence_s=self._premises.settings.silence_s,
            )
            machine = Session(self._setup(before, await recalling, await habit, configured))
            seat.live = live
            first = events.Opened(known is None, before.owed if self._resumes else None)
            meter.seconds = lambda: microphone.heard_s + live.spoken_samples / configured.output_audio.sample_rate_hz
            metering = group.create_task(meter.run(), name="meter")
            try:
                await live.run(machine, self._started(conversation, configured), first)
            finally:
                self._over = True
                seat.live = None
                self._premises.strain.forget(seat.session_id)
                if recording is not None:
                    recording.close()
            metering.cancel()
            await link.close()
            await asyncio.wait({engine}, timeout=_CLOSE_S)
            engine.cancel()
            if self._late != NOTHING_USED:
                self._premises.outlive(self._keep_late(), "late usage")

    @property
    def _resumes(self) -> bool:
        return self._start.WhichOneof("target") == "resume"

    async def _continued(self, conversation_id: str) -> Continued:
        """What is stored; without the functions of a session before this one."""
        before = await self._premises.store.continued(conversation_id)
        if self._resumes or before.tools == NO_TOOLS:
            return before
        await self._premises.store.keep_tools(conversation_id, NO_TOOLS)
        return replace(before, tools=NO_TOOLS)

    def _link(self, microphone: Microphone) -> EngineLink:
        seat, start = self._seat, self._start
        configure = engine_pb.Configure(
            conversation_id=seat.conversation_id,
            user_id=seat.user_id,
            engine=from_engine(self._choices.engine),
            input_audio=start.input_audio,
            output_audio=start.output_audio,
            target_language=self._choices.target_language,
        )
        return EngineLink(
            self._premises.mesh.run_engine,
            self._premises.mesh.metadata,
            configure,
            post=self._from_engine,
            arrived_at=microphone.arrived_at,
            open_s=self._premises.settings.engine_open_s,
            clock=self._premises.clock,
        )

    async def _from_engine(self, event: events.Event) -> None:
        if self._over and isinstance(event, events.ReplyMade):
            self._late += event.usage
        else:
            await self._post(event)

    async def _keep_late(self) -> None:
        # An estimate, of a conversation that may be deleted by now: nothing hangs on it.
        with suppress(VivavoceError):
            await self._premises.store.append(self._seat.conversation_id, EngineUsed(self._late))

    async def _may_record(self) -> bool:
        """Whether the talk is to be recorded and may be; a learner who wants it and has not agreed to it is told."""
        if not self._choices.record:
            return False
        try:
            if await self._premises.mesh.consent.to_recording(self._seat.user_id):
                return True
            why = _NO_CONSENT
        except VivavoceError as error:
            # What can't be asked is not agreed to.
            why = Failure.of(error)
        await poster(self._seat.post_box)(events.Faulted(why))
        return False

    def _recording(self, configured: engine_pb.Configured) -> Recording:
        seat = self._seat
        recording = Recording(
            self._premises.mesh.record,
            self._premises.mesh.metadata,
            media_pb.StartRecording(
                recording_id=new_id("rec"),
                conversation_id=seat.conversation_id,
                session_id=seat.session_id,
                user_id=seat.user_id,
                learner_audio=self._start.input_audio,
                tutor_audio=configured.output_audio,
            ),
            poster(seat.post_box),
            self._premises.clock,
        )
        self._premises.outlive(recording.run(), "recording")
        return recording

    async def _recall(self) -> Recollection:
        return await self._premises.mesh.recall(self._seat.user_id)

    def _setup(
        self, before: Continued, recollection: Recollection, habit: PauseHabit, configured: engine_pb.Configured
    ) -> Setup:
        engine = configured.engine
        names = (engine.recognizer, engine.language_model, engine.synthesizer, engine.speech_to_speech)
        return Setup(
            session_id=self._seat.session_id,
            choices=completed(self._choices, recollection.usual),
            input_rate_hz=self._start.input_audio.sample_rate_hz,
            output_rate_hz=configured.output_audio.sample_rate_hz,
            lines=before.lines,
            tutor_state=before.tutor_state,
            recollection=recollection,
            summary=before.summary,
            first_line=before.first_line,
            providers=tuple(name for name in names if name),
            waits=self._premises.settings.waits,
            limits=self._premises.settings.limits,
            habit=habit,
            strain=self._premises.strain.strain,
            written=before.written,
            tools=before.tools,
        )

    def _started(self, conversation: Conversation, configured: engine_pb.Configured) -> converse_pb.SessionStarted:
        seat = self._seat
        started = converse_pb.SessionStarted(
            session_id=seat.session_id,
            conversation=to_message(conversation),
            engine=configured.engine,
            engine_labels=configured.labels,
            output_audio=configured.output_audio,
            resumed=self._resumes,
        )
        if window_s := self._premises.settings.resume_s:
            started.resume_token = resume_token.write(seat.session_id, seat.conversation_id)
            started.resume_window.FromMilliseconds(round(window_s * 1000))
        return started


async def first_message(stream: ClientStream) -> converse_pb.StartSession:
    """The first message of a stream.

    Raises:
        PreconditionError: STREAM_NOT_CONFIGURED, it is another one.
        TimedOutError: it does not come.
    """
    try:
        async with asyncio.timeout(_FIRST_S):
            message = await anext(stream)
    except TimeoutError:
        raise TimedOutError(f"Send start_session within {_FIRST_S:.0f} s of opening the stream.") from None
    except StopAsyncIteration:
        raise _not_configured() from None
    if message.WhichOneof("event") != "start_session":
        raise _not_configured()
    return message.start_session


def _not_configured() -> PreconditionError:
    return PreconditionError("The first message must be start_session.", reason="STREAM_NOT_CONFIGURED")
