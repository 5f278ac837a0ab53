"""The stream that takes events in: deliveries that wait are stored together, then acknowledged by the last."""

from typing import Final, TypeAlias

from vivavoce.history.v1 import history_service_pb2 as service_pb

from mesh.errors import InvalidFieldError, VivavoceError
from mesh.streams import DuplexStream
from services.history.domain.happenings import Happening
from services.history.domain.keeping import Memory
from services.history.events import to_happening

#: Deliveries are stored together up to so many events: no transaction takes long.
_TOGETHER: Final = 512
_MOST_EVENTS: Final = 256

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
        events = len(first.events)
        while stream.waiting and events < _TOGETHER:
            arrived.append(await anext(stream))
            events += len(arrived[-1].events)
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
            deliveries.append([to_happening(event) for event in request.events])
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
