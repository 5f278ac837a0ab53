"""One who tells a history what learners said, as the relays do, and one of these learners, who looks at it."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, Self, TypeAlias

from vivavoce.history.v1 import history_service_pb2 as service_pb
from vivavoce.history.v1.history_service_pb2_grpc import HistoryServiceStub

from cli.bench.history_server import HistoryProcess
from cli.bench.history_talk import deliveries
from mesh.channel import call_metadata, open_channel
from mesh.streams import DuplexStream, client_stream
from mesh.tokens import SERVICES

if TYPE_CHECKING:
    from vivavoce.history.v1.history_service_pb2_grpc import HistoryServiceAsyncStub

IngestStream: TypeAlias = DuplexStream[service_pb.IngestRequest, service_pb.IngestResponse]

_STREAMS: Final = 4
#: Deliveries that are under way on a stream. More would lie in gRPC's buffers, for so long on a busy machine that
#: history would count as one that does not read.
_UNDER_WAY: Final = 4


class Teller:
    """Tells over a few streams at once."""

    def __init__(self, stub: "HistoryServiceAsyncStub", history: HistoryProcess) -> None:
        self._stub = stub
        self._service = call_metadata(history.signer.sign("service:conversation", SERVICES, 3600))
        claims = {"sid": "ses_bench", "scope": "read", "guest": False}
        self._learner = call_metadata(history.signer.sign(_learner(0), claims=claims))

    @classmethod
    @asynccontextmanager
    async def opened(cls, history: HistoryProcess) -> AsyncIterator[Self]:
        """One for the length of the block."""
        async with open_channel(history.address) as channel:
            yield cls(HistoryServiceStub(channel), history)

    async def tell(self, first: int, after: int, *, learners: int) -> float:
        """Delivers conversations of so many learners in turn; the seconds until all are acknowledged."""
        made = [
            list(deliveries(range(first + stream, after, _STREAMS), lambda number: _learner(number % learners)))
            for stream in range(_STREAMS)
        ]
        began = time.perf_counter()
        async with asyncio.TaskGroup() as streams:
            for each in made:
                streams.create_task(self._deliver(each))
        return time.perf_counter() - began

    async def views(self, count: int) -> list[float]:
        """Milliseconds until the whole progress of the first learner, by day, is there."""
        request = service_pb.GetProgressRequest(time_zone="Europe/Berlin")
        taken = []
        for _ in range(count):
            began = time.perf_counter()
            await self._stub.GetProgress(request, metadata=self._learner, timeout=30)
            taken.append((time.perf_counter() - began) * 1000)
        return taken

    async def _deliver(self, made: Sequence[service_pb.IngestRequest]) -> None:
        free = asyncio.Semaphore(_UNDER_WAY)
        async with client_stream(self._stub.Ingest, metadata=self._service) as stream, asyncio.TaskGroup() as tasks:
            tasks.create_task(_acknowledged(stream, len(made), free))
            for delivery in made:
                await free.acquire()
                await stream.send(delivery)


async def _acknowledged(stream: IngestStream, made: int, free: asyncio.Semaphore) -> None:
    known = 0
    while known < made:
        answer = await anext(stream)
        for _ in range(answer.acknowledged_delivery - known):
            free.release()
        known = answer.acknowledged_delivery


def _learner(number: int) -> str:
    return f"usr_{number:02}"
