"""The stream that takes events in: deliveries that wait are stored together, then acknowledged by the last."""

from dataclasses import replace
from typing import Final, TypeAlias, assert_never

from vivavoce.history.v1 import history_pb2 as history_pb
from vivavoce.history.v1 import history_service_pb2 as service_pb

from mesh.errors import InvalidFieldError, VivavoceError
from mesh.streams import DuplexStream
from services.history.domain.happenings import Happening, Kind
from services.history.domain.keeping import Memory

#: Deliveries stored together at most.
_TOGETHER: Final = 64
_MOST_EVENTS: Final = 256
_LONGEST_ID: Final = 64

Stream: TypeAlias = DuplexStream[service_pb.IngestResponse, service_pb.IngestRequest]


async def ingest(stream: Stream, memory: Memory) -> None:
    """Takes in what the stream brings until its caller half-closes.

    Raises:
        ConflictError: a sequence is missing; metadata `expected_sequence` says from where to send again.
        InvalidFieldError: a delivery breaks the contract. What came before it is stored and acknowledged.
        OverloadedError: too much waits for the disk; what was not acknowledged is not stored.
    """
    acknowledged = 0
    async for first in stream:
        arrived = [first]
        while stream.waiting and len(arrived) < _TOGETHER:
            arrived.append(await anext(stream))
        deliveries, refusal = _readable(arrived, acknowledged + 1)
        if deliveries:
            intake = await memory.take_in(deliveries)
            refusal = intake.refusal or refusal
            if intake.taken:
                acknowledged += intake.taken
                await stream.send(service_pb.IngestResponse(acknowledged_delivery=acknowledged))
        if refusal is not None:
            raise refusal


def _readable(
    arrived: list[service_pb.IngestRequest], expected: int
) -> tuple[list[list[Happening]], VivavoceError | None]:
    """The deliveries before the first that breaks the contract, and what that one breaks."""
    deliveries: list[list[Happening]] = []
    for request in arrived:
        try:
            _check(request, expected + len(deliveries))
            deliveries.append([_happening(event) for event in request.events])
        except VivavoceError as refusal:
            return deliveries, refusal
    return deliveries, None


def _check(request: service_pb.IngestRequest, expected: int) -> None:
    if request.delivery != expected:
        raise InvalidFieldError(
            f"Delivery {request.delivery} came where {expected} is next; number them from 1 on each stream.",
            field="delivery",
        )
    if not 1 <= len(request.events) <= _MOST_EVENTS:
        raise InvalidFieldError(f"A delivery carries 1 to {_MOST_EVENTS} events; split it.", field="events")


def _happening(event: history_pb.HistoryEvent) -> Happening:
    _check_id("conversation_id", event.conversation_id, least=1)
    _check_id("user_id", event.user_id, least=1)
    if event.sequence < 1:
        raise InvalidFieldError("An event's sequence counts from 1.", field="events.sequence")
    plain = Happening(
        conversation_id=event.conversation_id,
        sequence=event.sequence,
        user_id=event.user_id,
        time_us=_time_us(event),
        kind=Kind.CONVERSATION_ENDED,
        payload=event.SerializeToString(deterministic=True),
    )
    happening = _of_its_kind(plain, event)
    _check_id("turn_id", happening.turn_id)
    _check_id("reply_id", happening.reply_id)
    _check_id("scenario_id", happening.scenario_id)
    return happening


def _of_its_kind(plain: Happening, event: history_pb.HistoryEvent) -> Happening:
    match kind := event.WhichOneof("event"):
        case "conversation_began":
            settings = event.conversation_began.settings
            return replace(
                plain,
                kind=Kind.CONVERSATION_BEGAN,
                scenario_id=settings.scenario_id,
                settings=settings.SerializeToString(deterministic=True),
            )
        case "turn_taken":
            turn = event.turn_taken
            return replace(plain, kind=Kind.TURN_TAKEN, turn_id=turn.turn_id, text=turn.text)
        case "reply_given":
            reply = event.reply_given
            return replace(
                plain, kind=Kind.REPLY_GIVEN, turn_id=reply.turn_id, reply_id=reply.reply_id, text=reply.heard_text
            )
        case "feedback_given":
            return replace(plain, kind=Kind.FEEDBACK_GIVEN, turn_id=event.feedback_given.turn_id)
        case "conversation_ended":
            return plain
        case None:
            raise InvalidFieldError("An event says what happened; set one of its kinds.", field="events.event")
        case _:
            assert_never(kind)


def _time_us(event: history_pb.HistoryEvent) -> int:
    try:
        if event.HasField("time"):
            return event.time.ToMicroseconds()
    except ValueError:
        pass
    raise InvalidFieldError("An event says when it happened, between the years 1 and 9999.", field="events.time")


def _check_id(name: str, value: str, least: int = 0) -> None:
    if not least <= len(value) <= _LONGEST_ID or "\0" in value:
        raise InvalidFieldError(f"{name} has {least} to {_LONGEST_ID} characters.", field=f"events.{name}")
