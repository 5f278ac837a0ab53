"""The two wires that carry a session: gRPC, and the WebSocket of the edge."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final, Protocol

import grpc
from vivavoce.conversation.v1 import conversation_service_pb2 as conversation_pb
from vivavoce.conversation.v1.conversation_service_pb2_grpc import ConversationServiceStub
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, ConnectionClosedOK, InvalidHandshake, InvalidStatus

from mesh.channel import call_metadata
from mesh.errors import NotAllowedError, UnauthenticatedError, UnavailableError, VivavoceError
from mesh.streams import client_stream

#: The largest message the server sends is a second of sound with its words.
_MAX_FRAME_BYTES: Final = 1 << 20


class Wire(Protocol):
    """Carries requests out and responses in, in order."""

    async def send(self, message: conversation_pb.ConverseRequest) -> None:
        """Sends a request; waits while the wire is full. Raises VivavoceError where it is cut."""
        ...

    def __aiter__(self) -> AsyncIterator[conversation_pb.ConverseResponse]:
        """The responses, until the server ends the session. Raises VivavoceError where it fails."""
        ...


def open_grpc(channel: grpc.aio.Channel, token: str) -> AbstractAsyncContextManager[Wire]:
    """A session over gRPC; the channel stays the caller's."""
    return client_stream(ConversationServiceStub(channel).Converse, metadata=call_metadata(token))


@asynccontextmanager
async def open_socket(web: str, token: str) -> AsyncIterator["SocketWire"]:
    """A session over the WebSocket of the edge at `web`, such as http://127.0.0.1:8080.

    Raises:
        VivavoceError: the edge does not let us in, or nothing listens there.
    """
    address = "ws" + web.removeprefix("http").rstrip("/") + "/v1/converse"
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        opened = await connect(
            address, additional_headers=headers, compression=None, max_size=_MAX_FRAME_BYTES, proxy=None
        )
    except InvalidStatus as refused:
        raise _refused(refused.response.status_code) from refused
    except InvalidHandshake:
        raise UnavailableError(f"What listens on {web} hung up; try again after a while.") from None
    except OSError:
        raise UnavailableError(f"Nothing listens on {web}; start the mesh with `viva up`.") from None
    async with opened:
        yield SocketWire(opened)


class SocketWire:
    """A session over a WebSocket, one message in each binary frame."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def send(self, message: conversation_pb.ConverseRequest) -> None:
        """Sends a request."""
        try:
            await self._socket.send(message.SerializeToString())
        except ConnectionClosed as closed:
            raise _closed(closed) from closed

    def __aiter__(self) -> AsyncIterator[conversation_pb.ConverseResponse]:
        """The responses."""
        return self

    async def __anext__(self) -> conversation_pb.ConverseResponse:
        """The next response. Safe to cancel: none is lost."""
        try:
            return conversation_pb.ConverseResponse.FromString(await self._socket.recv(decode=False))
        except ConnectionClosedOK:
            raise StopAsyncIteration from None
        except ConnectionClosed as closed:
            raise _closed(closed) from closed


def _refused(status: int) -> VivavoceError:
    match status:
        case 401:
            return UnauthenticatedError("The edge does not know this access token; sign in again.")
        case 403:
            return NotAllowedError("The edge does not let this client in.")
        case _:
            return UnavailableError(f"The edge answered with status {status}; try again after a while.")


def _closed(closed: ConnectionClosed) -> VivavoceError:
    code = closed.rcvd.code if closed.rcvd else 1006
    reason = closed.rcvd.reason if closed.rcvd else ""
    if code == 4401:
        return UnauthenticatedError("The edge does not know this access token; sign in again.")
    return UnavailableError(f"The edge closed the connection ({code}{': ' + reason if reason else ''}).")
