"""The wire that carries a session: one gRPC stream."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, Protocol

import grpc

from vivavoce.client.errors import UnreachableError, of_call
from vivavoce.conversation.v1 import conversation_service_pb2 as service_pb
from vivavoce.conversation.v1.conversation_service_pb2_grpc import ConversationServiceStub

Call = grpc.aio.StreamStreamCall[service_pb.ConverseRequest, service_pb.ConverseResponse]

#: A wire that takes nothing for so long is cut.
_WRITE_S: Final = 10.0


class Wire(Protocol):
    """Carries requests out and responses in, in order."""

    async def send(self, message: service_pb.ConverseRequest) -> None:
        """Sends a request; waits while the wire is full. Raises ClientError where it is cut."""
        ...

    def __aiter__(self) -> AsyncIterator[service_pb.ConverseResponse]:
        """The responses, until the server ends the session. Raises ClientError where it fails."""
        ...


@asynccontextmanager
async def open_wire(channel: grpc.aio.Channel, token: str) -> AsyncIterator[Wire]:
    """A wire for the length of the block; the channel stays the caller's. At its end the stream is cancelled."""
    call: Call = ConversationServiceStub(channel).Converse(metadata=(("authorization", f"Bearer {token}"),))
    try:
        yield _GrpcWire(call)
    finally:
        call.cancel()


class _GrpcWire:
    def __init__(self, call: Call) -> None:
        self._call = call
        # gRPC takes one message at a time.
        self._turn = asyncio.Lock()

    async def send(self, message: service_pb.ConverseRequest) -> None:
        try:
            async with self._turn, asyncio.timeout(_WRITE_S):
                await self._call.write(message)
        except grpc.aio.AioRpcError as error:
            raise of_call(error) from error
        except (TimeoutError, asyncio.InvalidStateError, grpc.aio.UsageError):
            # Whoever reads learns why it has ended.
            raise UnreachableError("The wire is cut.") from None

    async def __aiter__(self) -> AsyncIterator[service_pb.ConverseResponse]:
        try:
            async for response in self._call:
                yield response
        except grpc.aio.AioRpcError as error:
            raise of_call(error) from error
        except asyncio.CancelledError:
            # gRPC raises this, too, where it was the call that was cancelled.
            if self._call.cancelled() and not _cancelling():
                raise UnreachableError("The wire is cut.") from None
            raise


def _cancelling() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
