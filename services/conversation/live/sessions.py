"""The live sessions of this process: who may open one, which conversation it holds, and how they all end."""

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Final

from vivavoce.conversation.v1 import converse_pb2 as converse_pb

from mesh.clock import Clock
from mesh.entitlement import Entitlement
from mesh.ephemeral import Ephemeral
from mesh.errors import (
    ExhaustedError,
    InvalidFieldError,
    OverloadedError,
    PreconditionError,
    UnavailableError,
    VivavoceError,
)
from mesh.identity import Caller
from mesh.ids import new_id
from mesh.mailbox import Mailbox
from mesh.telemetry import record_strain
from mesh.workers import Workers
from services.conversation.domain import events
from services.conversation.domain.keeping import Conversation, Conversations
from services.conversation.domain.strain import Strain
from services.conversation.domain.things import Failure
from services.conversation.live import resume_token
from services.conversation.live.compressed import as_pcm
from services.conversation.live.keeper import Keeper
from services.conversation.live.live_session import EVENTS, poster
from services.conversation.live.meter import Meter, first_booking_s
from services.conversation.live.opening import Mesh, Opening, Premises, Seat, first_message
from services.conversation.live.ownership import Ownership
from services.conversation.live.strain_watch import StrainWatch
from services.conversation.live.wire import ClientStream, Wire
from services.conversation.settings import Settings

#: How long an older session on the same conversation may take to make room.
_ROOM_S: Final = 5.0
_ELSEWHERE: Final = Failure("CONVERSATION_CLOSED", "The conversation was opened in another session; it goes on there.")
_ENDED: Final = Failure("CONVERSATION_CLOSED", "The conversation was ended.")
_FAULT: Final = VivavoceError("A fault of the server ended the session; open the conversation again.")

_log: Final = logging.getLogger(__name__)
_DELETED: Final = Failure("NOT_ALLOWED", "The account was deleted; nothing can be said with it any more.")


class Sessions:
    """Opens and ends sessions, and owns what outlives their streams: storing, and the end of a recording."""

    def __init__(
        self,
        settings: Settings,
        store: Conversations,
        mesh: Mesh,
        leases: Ephemeral,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._store = store
        self._strain = StrainWatch(settings.bearable, clock, self._strain_changed)
        self._premises = Premises(settings, store, mesh, clock, self._strain, self._outlive)
        self._clock = clock
        self._ownership = Ownership(leases, clock, self._taken_elsewhere)
        self._seats: dict[str, Seat] = {}
        self._afterlife: set[asyncio.Task[None]] = set()
        self._late: set[asyncio.Task[None]] = set()
        self._draining = False
        # Each session reads one packet and writes one at a time: none is ever turned away.
        self._codecs = Workers("opus", queue=2 * settings.max_sessions)

    async def converse(self, entitlement: Entitlement, stream: ClientStream) -> None:
        """Carries a client on `stream` through one session, which outlasts a wire that is cut, for a while.

        Raises:
            VivavoceError: it can't be opened or resumed, the client breaks the contract, or does not read.
        """
        stream, start = as_pcm(stream, await first_message(stream), self._codecs)
        if (seat := self._left_by(entitlement.who, start)) is not None and seat.live is not None:
            await seat.live.resume(stream, entitlement, start.resume.last_sequence)
            return
        seat, known = await self._take_seat(entitlement.who, start)
        self._outlive(self._hold(seat, known, entitlement), "session")
        await seat.wire.serve(stream)

    async def watch(self) -> None:
        """Lets go of conversations that another process has taken, for as long as this runs."""
        await self._ownership.run()

    async def weigh(self) -> None:
        """Tells sessions how busy this process is, for as long as this runs."""
        await self._strain.run()

    def of_user(self, user_id: str) -> list[Seat]:
        """The person's sessions, newest first."""
        own = [seat for seat in self._seats.values() if seat.user_id == user_id]
        return sorted(own, key=lambda seat: seat.session_id, reverse=True)

    async def clear(self, conversation_id: str) -> None:
        """Ends the session on a conversation that is being ended, and returns when its last words are stored."""
        await self._make_room(conversation_id, _ENDED)

    async def dismiss(self, user_id: str) -> None:
        """Ends the sessions of a person whose account is deleted; returns when they are gone, or take too long."""
        seats = self.of_user(user_id)
        for seat in seats:
            seat.post_box.offer(events.Dismissed(_DELETED))
        with suppress(TimeoutError):
            async with asyncio.timeout(_ROOM_S):
                for seat in seats:
                    await seat.free.wait()

    async def drain(self) -> None:
        """Takes no more sessions, lets those there are finish their sentence, and returns when they are gone."""
        self._draining = True
        seats = list(self._seats.values())
        for seat in seats:
            seat.post_box.offer(events.Draining())
        for seat in seats:
            await seat.free.wait()

    async def close(self, within_s: float) -> None:
        """Ends what is left, waits until nothing of it is to be stored any more, and gives up after `within_s`.

        Seconds that the user service was not there to book are given up.
        """
        for seat in self._seats.values():
            seat.post_box.offer(events.Vanished())
        if self._afterlife:
            _, late = await asyncio.wait(self._afterlife, timeout=within_s)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)
        for task in self._late:
            task.cancel()
        if self._late:
            await asyncio.wait(self._late)
        await self._codecs.close()

    def _outlive(self, work: Coroutine[Any, Any, None], name: str) -> None:
        _own(self._afterlife, work, name)

    async def _hold(self, seat: Seat, known: Conversation | None, entitlement: Entitlement) -> None:
        """One session in a task of its own, whatever becomes of the streams its client comes by."""
        keeper = Keeper(seat.conversation_id, self._store, self._clock, poster(seat.post_box))
        meter = self._meter(seat)
        self._outlive(self._keep(seat, keeper, meter), "keeper")
        error: VivavoceError | None = None
        await self._ownership.take(seat.conversation_id)
        try:
            await Opening(self._premises, seat, known).hold(entitlement, keeper, meter)
        except* VivavoceError as failures:
            # Whatever else was cancelled because of it, one thing went wrong first.
            error = _first(failures)
        except* Exception as failures:
            # The root of this task: the client is told, and the other sessions go on.
            _log.error("session failed", exc_info=failures, extra={"session_id": seat.session_id})
            error = _FAULT
        finally:
            keeper.close()
            seat.post_box.close()
            seat.wire.end(error)

    def _left_by(self, who: Caller, start: converse_pb.StartSession) -> Seat | None:
        """The session of this process that a client comes back to.

        Raises:
            PreconditionError: NOT_RESUMABLE, the token names none.
            InvalidFieldError: the client speaks or hears at another rate than it did.
        """
        if start.WhichOneof("target") != "resume":
            return None
        session_id, conversation_id = resume_token.read(start.resume.resume_token)
        seat = self._seats.get(conversation_id)
        if seat is None or (seat.session_id, seat.user_id) != (session_id, who.user_id):
            return None
        for name in ("input_audio", "output_audio"):
            if getattr(start, name).sample_rate_hz != getattr(seat.start, name).sample_rate_hz:
                raise InvalidFieldError(
                    f"{name} must have the rate the session began with; or open the conversation again by its id.",
                    field=f"start_session.{name}",
                )
        return seat

    async def _take_seat(self, who: Caller, start: converse_pb.StartSession) -> tuple[Seat, Conversation | None]:
        known = await self._known(who, start)
        if await self._store.backlog() >= self._settings.outbox_bound:
            raise OverloadedError("Too much waits for the history service; try again later.")
        self._check_limits(who)
        seat = self._new_seat(known.id if known else new_id("cnv"), who, start)
        if seat.conversation_id in self._seats:
            raise PreconditionError(
                "The conversation was just opened in another session.", reason="CONVERSATION_CLOSED"
            )
        self._seats[seat.conversation_id] = seat
        return seat, known

    async def _known(self, who: Caller, start: converse_pb.StartSession) -> Conversation | None:
        """The conversation to go on with, free of other sessions; None for a new one."""
        match start.WhichOneof("target"):
            case "conversation_id":
                conversation_id = start.conversation_id
            case "resume":
                # The process that held the session is gone, or it is another one.
                conversation_id = resume_token.read(start.resume.resume_token)[1]
            case _:
                await self._give_up_left(who)
                return None
        known = await self._store.get(conversation_id, who.user_id)
        if known.ended:
            raise PreconditionError("The conversation was ended; begin a new one.", reason="CONVERSATION_CLOSED")
        await self._make_room(known.id, _ELSEWHERE)
        # The session before may have stored something meanwhile.
        return await self._store.get(known.id, who.user_id)

    def _new_seat(self, conversation_id: str, who: Caller, start: converse_pb.StartSession) -> Seat:
        post_box: Mailbox[events.Event] = Mailbox(EVENTS)

        def tell(event: events.Event) -> None:
            if not post_box.offer(event):
                self._outlive(poster(post_box)(event), "news of the wire")

        wire = Wire(on_lost=lambda: tell(events.WireLost()), on_found=lambda: tell(events.WireFound()))
        return Seat(new_id("ses"), conversation_id, who.user_id, self._clock.wall(), start, wire, post_box)

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

    def _strain_changed(self, strain: Strain) -> None:
        record_strain(list(Strain).index(strain))
        for seat in self._seats.values():
            # A session whose queue is full goes on as before.
            seat.post_box.offer(events.StrainChanged(strain))

    def _taken_elsewhere(self, conversation_id: str) -> None:
        if seat := self._seats.get(conversation_id):
            seat.post_box.offer(events.Dismissed(_ELSEWHERE))

    async def _give_up_left(self, who: Caller) -> None:
        """Who begins anew has given up the sessions whose wire they lost; they would count against their limits."""
        left = [seat for seat in self.of_user(who.user_id) if not seat.wire.attended]
        for seat in left:
            seat.post_box.offer(events.Vanished())
        with suppress(TimeoutError):
            async with asyncio.timeout(_ROOM_S):
                for seat in left:
                    await seat.free.wait()

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

    def _meter(self, seat: Seat) -> Meter:
        budget, every_s = self._premises.mesh.budget, self._settings.budget_every_s
        return Meter(
            budget,
            seat.user_id,
            seat.conversation_id,
            self._clock,
            poster(seat.post_box),
            every_s=every_s,
            first_s=first_booking_s(seat.conversation_id, every_s),
        )

    async def _keep(self, seat: Seat, keeper: Keeper, meter: Meter) -> None:
        try:
            await keeper.run()
            booked = await meter.close()
        finally:
            del self._seats[seat.conversation_id]
            seat.free.set()
            await self._ownership.release(seat.conversation_id)
        if not booked:
            _own(self._late, meter.close_late(), "late booking")


def _own(owner: set[asyncio.Task[None]], work: Coroutine[Any, Any, None], name: str) -> None:
    task = asyncio.create_task(work, name=name)
    owner.add(task)
    task.add_done_callback(owner.discard)


def _first(failures: BaseExceptionGroup[VivavoceError]) -> VivavoceError:
    first = failures.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
