"""What every talking socket does alike: counts itself, reads, writes, and closes with a reason."""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from starlette.types import Message
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState
from vivavoce.conversation.v1 import conversation_service_pb2 as service_pb

from edge import failures
from edge.socket_protocol import SocketProtocol
from mesh.errors import OverloadedError
from mesh.streams import DuplexStream

ConverseStream = DuplexStream[service_pb.ConverseRequest, service_pb.ConverseResponse]

#: Messages from the mesh that wait for the socket. Full: the mesh is held back.
INBOX: Final = 32
#: One on its way, one behind it; what comes then is joined by the uplink.
OUTBOX: Final = 1


class Gone(Exception):  # noqa: N818 (a state, not a fault)
    """The client has vanished."""


class Crowd:
    """The open talking sockets, so that there are no more than the settings allow."""

    def __init__(self, max_sockets: int) -> None:
        self._max = max_sockets
        self._open = 0

    @contextmanager
    def joined(self) -> Iterator[None]:
        """Counts a socket in for the length of the block."""
        self._open += 1
        try:
            yield
        finally:
            self._open -= 1

    def check(self) -> None:
        """Sees to it that there is a place for one that has been counted.

        Raises:
            OverloadedError: there is none.
        """
        if self._open > self._max:
            raise OverloadedError("All places to talk are taken; try again in a minute.")


async def receive(socket: WebSocket) -> Message:
    """The next frame.

    Raises:
        Gone: there is none any more.
    """
    frame = await socket.receive()
    if frame["type"] == "websocket.disconnect":
        raise Gone
    return frame


async def send(socket: WebSocket, frame: Message) -> None:
    """Sends a frame.

    Raises:
        Gone: the client has vanished.
    """
    try:
        await socket.send(frame)
    except WebSocketDisconnect:
        raise Gone from None


async def close(socket: WebSocket, reason: str, last_frame: Message | None = None) -> None:
    """Says why, and closes; also where the client does not read."""
    if socket.client_state is WebSocketState.DISCONNECTED:
        return
    protocol: SocketProtocol = socket.scope["state"]["socket"]
    protocol.let_through()
    with suppress(Gone):
        if last_frame is not None:
            await send(socket, last_frame)
        code = failures.close_code(reason) if reason else failures.NORMAL
        await send(socket, {"type": "websocket.close", "code": code, "reason": reason})


def ended_because(last: service_pb.ConverseResponse | None) -> str:
    """Why a session whose last word this was ended, empty where it was asked for."""
    if last is None or not last.session_ended.HasField("failure"):
        return ""
    return failures.reason_name(last.session_ended.failure.reason)


async def until_one_ends(*parts: Coroutine[None, None, None]) -> None:
    """Runs the parts together; when one ends or fails the others are cancelled, and its failure is raised."""
    tasks = [asyncio.create_task(part) for part in parts]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        ended = [task for task in tasks if task.done()]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    for task in ended:
        task.result()
