"""Carries the outbox to history: in order, until it is acknowledged, whatever happens in between.

What can't be delivered holds up its own conversation and no other: see ADR 27.
"""

import asyncio
import itertools
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from typing import Final

from grpc.aio import StreamStreamCall
from vivavoce.history.v1 import history_service_pb2 as service_pb

from mesh.clock import Clock
from mesh.errors import ConflictError, InvalidFieldError, TimedOutError, UnavailableError, VivavoceError
from mesh.streams import DuplexStream, Metadata, client_stream
from mesh.telemetry import count_set_aside
from services.conversation.domain.keeping import Conversations, Delivery
from services.conversation.domain.sharing import Share
from services.conversation.shares import Shares
from services.conversation.wire.records import to_history_event

Ingest = Callable[..., StreamStreamCall[service_pb.IngestRequest, service_pb.IngestResponse]]
IngestStream = DuplexStream[service_pb.IngestRequest, service_pb.IngestResponse]

#: Events in one delivery, and so the most that are ever unacknowledged.
_BATCH: Final = 256
_ACKNOWLEDGED_WITHIN_S: Final = 15.0
#: What another process has put into a shared database is looked for this often.
_LOOK_EVERY_S: Final = 5.0
#: Where several relays share it, others tell of no news.
_LOOK_TOGETHER_EVERY_S: Final = 0.3
_FIRST_PAUSE_S: Final = 0.2
_LONGEST_PAUSE_S: Final = 10.0
#: Why a conversation is set aside that a later version of the service has written into.
LATER_VERSION: Final = "LATER_VERSION"
#: Why one is set aside at which history fails, without a word about what is wrong with it.
_FAULT: Final = VivavoceError.default_reason
#: Such a version may have come back, in this process or in another, and a fault may have been mended: both are tried
#: again this often.
_TAKE_UP_EVERY_S: Final = 600.0
#: It is the event where history fails at it alone so many times, one after the other; once may be the wire.
_FAULTS_OF_AN_EVENT: Final = 3
#: It is history where it fails at so many conversations and takes nothing in between: then all wait.
_FAULTS_OF_HISTORY: Final = 10

_log: Final = logging.getLogger(__name__)


class Relay:
    """At least once from here, exactly once at rest: history ignores what it has stored before."""

    def __init__(
        self,
        store: Conversations,
        shares: Shares,
        method: Ingest,
        metadata: Callable[[], Metadata],
        clock: Clock,
        news: asyncio.Event,
    ) -> None:
        self._store = store
        self._shares = shares
        self._method = method
        self._metadata = metadata
        self._clock = clock
        self._news = news
        self._pause_s = _FIRST_PAUSE_S
        #: How many events are sent one by one, to find the one that history refuses.
        self._one_by_one = 0
        #: How often history failed at the event that is first, and at how many conversations since it took something.
        self._faults = 0
        self._faulty = 0
        self._take_up_at = self._count_at = clock.now()

    async def run(self) -> None:
        """Relays for ever; waits longer and longer while history or the database is away."""
        count_set_aside(0)
        try:
            await self._run()
        finally:
            with suppress(VivavoceError):
                await asyncio.shield(self._shares.release())

    async def _run(self) -> None:
        while True:
            try:
                await self._relay()
            except VivavoceError as error:
                _log.warning("history does not take events in", extra={"reason": error.reason})
            except Exception:
                # The root of this task: nothing may end it, for the outbox would only grow from then on.
                _log.exception("the relay to history failed")
            with suppress(VivavoceError):
                await self._store.backlog()  # Told in the metrics, while it grows.
            await self._clock.sleep(self._pause_s)
            self._pause_s = min(self._pause_s * 2, _LONGEST_PAUSE_S)

    async def _relay(self) -> None:
        batches = self._batches()
        async with aclosing(batches):
            # The stream is opened only for something to send: an idle service holds none.
            first = await anext(batches)
            async with client_stream(self._method, metadata=self._metadata(), inbox=4, outbox=4) as stream:
                await self._deliver(stream, 1, first)
                for delivery in itertools.count(2):
                    await self._deliver(stream, delivery, await anext(batches))

    async def _deliver(self, stream: IngestStream, delivery: int, batch: list[Delivery]) -> None:
        try:
            events = [
                to_history_event(each.conversation_id, each.sequence, each.user_id, each.time, each.record)
                for each in batch
                if each.record is not None
            ]
            await stream.send(service_pb.IngestRequest(delivery=delivery, events=events))
            await _acknowledged(stream, delivery)
        except ConflictError as refusal:
            await self._missed(batch, refusal)
            raise
        except (InvalidFieldError, TypeError, ValueError) as refusal:
            await self._refused(batch, refusal)
            raise
        except VivavoceError as fault:
            if fault.reason == _FAULT:
                await self._failed(batch, fault)
            raise
        await self._store.delivered(batch)
        self._one_by_one = max(0, self._one_by_one - 1)
        self._faults = self._faulty = 0
        self._pause_s = _FIRST_PAUSE_S

    async def _refused(self, batch: list[Delivery], refusal: InvalidFieldError | TypeError | ValueError) -> None:
        """Sets the conversation aside whose event is refused, once it is known which; it would be refused for ever."""
        if isinstance(refusal, InvalidFieldError) and refusal.field == "delivery":
            return  # Of the stream, not of an event.
        if len(batch) > 1:
            self._one_by_one = len(batch)
            return
        reason = refusal.reason if isinstance(refusal, InvalidFieldError) else _FAULT
        # What another kind of error says may hold what somebody said.
        message = refusal.message if isinstance(refusal, InvalidFieldError) else type(refusal).__name__
        await self._set_aside(batch[0], reason, message)

    async def _failed(self, batch: list[Delivery], fault: VivavoceError) -> None:
        """Sets the conversation aside at whose event history fails again and again, unless it fails at all of them."""
        if len(batch) > 1:
            self._one_by_one = len(batch)
            return
        self._faults += 1
        if self._faults >= _FAULTS_OF_AN_EVENT and self._faulty < _FAULTS_OF_HISTORY:
            self._faults = 0
            self._faulty += 1
            await self._set_aside(batch[0], fault.reason, fault.message)

    async def _missed(self, batch: list[Delivery], refusal: ConflictError) -> None:
        """Sends again what history asks for: it has lost what it had acknowledged, as after a restored backup."""
        name, expected = (refusal.metadata.get(key, "") for key in ("conversation_id", "expected_sequence"))
        sent = [delivery for delivery in batch if delivery.conversation_id == name]
        if not sent or not expected.isdecimal():
            return  # Two relays met; sent again, it is known who was first.
        if not await self._store.put_back(name, int(expected), sent[0].sequence):
            await self._set_aside(sent[0], refusal.reason, refusal.message)
        self._pause_s = _FIRST_PAUSE_S

    async def _set_aside(self, delivery: Delivery, reason: str, message: str) -> None:
        _log.error(
            "an event can't be delivered; its conversation is set aside",
            extra={"conversation_id": delivery.conversation_id, "sequence": delivery.sequence, "reason": reason},
        )
        count_set_aside()
        await self._store.set_aside(delivery, reason, message)
        self._pause_s = _FIRST_PAUSE_S

    async def _batches(self) -> AsyncGenerator[list[Delivery], None]:
        while True:
            self._news.clear()
            share = await self._shares.held()
            await self._now_and_then()
            most = 1 if self._one_by_one else _BATCH
            waiting = await self._store.waiting(most, share.parts)
            if batch := await self._readable(waiting):
                yield batch
            if len(waiting) < most:
                await self._something_waits(share)

    async def _now_and_then(self) -> None:
        now = self._clock.now()
        if now >= self._take_up_at:
            for reason in (LATER_VERSION, _FAULT):
                await self._store.take_up_again(reason)
            self._take_up_at = now + _TAKE_UP_EVERY_S
        if now >= self._count_at:
            await self._store.backlog()  # Told in the metrics.
            self._count_at = now + _LOOK_EVERY_S

    async def _readable(self, waiting: list[Delivery]) -> list[Delivery]:
        """Those before the first of their conversation that a later version has written; this one is set aside."""
        batch: list[Delivery] = []
        unread: set[str] = set()
        for delivery in waiting:
            if delivery.conversation_id in unread:
                continue
            if delivery.record is not None:
                batch.append(delivery)
                continue
            unread.add(delivery.conversation_id)
            await self._set_aside(delivery, LATER_VERSION, "A later version wrote this event; start that one again.")
        return batch

    async def _something_waits(self, share: Share) -> None:
        """Returns once there may be something in the outbox that was not there before."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_EVERY_S if share.alone else _LOOK_TOGETHER_EVERY_S):
                await self._news.wait()


async def _acknowledged(stream: IngestStream, delivery: int) -> None:
    try:
        async with asyncio.timeout(_ACKNOWLEDGED_WITHIN_S):
            async for answer in stream:
                if answer.acknowledged_delivery >= delivery:
                    return
    except TimeoutError:
        raise TimedOutError("History acknowledged nothing in time; it is sent again.") from None
    raise UnavailableError("History ended the stream; it is sent again.")
