"""A local WebSocket server that emulated vendors stand on."""

import asyncio
from abc import abstractmethod
from contextlib import suppress
from dataclasses import dataclass

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from tests.emulators.vendor import STATUS, Vendor, Visit


@dataclass(slots=True)
class SocketEmulator(Vendor):
    """A vendor behind a WebSocket."""

    scheme: str = "ws"
    subprotocol: str = ""
    _server: Server | None = None

    @abstractmethod
    async def converse(self, socket: ServerConnection, visit: Visit) -> None:
        """Serves one connection until it ends."""

    def refusal(self, visit: Visit) -> int:
        """The HTTP status a handshake is refused with; 0 takes it."""
        return 0

    async def misbehave(self, socket: ServerConnection) -> bool:
        """Does what it was told to do in the middle of an answer; False where that is to answer."""
        match self.behaviour:
            case "stall":
                self.asked.set()
                await asyncio.sleep(30)
            case "cut":
                socket.transport.abort()
            case "end_early":
                await socket.close(1011, "upstream failed")
            case "hang_up":
                await socket.close()
            case "garbage":
                await socket.send("{this is not JSON")
                await asyncio.sleep(30)
            case "half_rune":
                await socket.send(b'{"type": "\xe2\x82', text=True)
                await asyncio.sleep(30)
            case _:
                return False
        return True

    async def listen(self) -> int:
        """Listens on a free port."""
        self._server = await serve(
            self._serve,
            "127.0.0.1",
            0,
            process_request=self._check,
            subprotocols=[Subprotocol(self.subprotocol)] if self.subprotocol else None,
            compression=None,
            close_timeout=0.2,
            max_size=None,
        )
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def leave(self) -> None:
        """Is gone."""
        if (server := self._server) is None:
            return
        self._server = None
        server.close(close_connections=False)
        for task in self.serving:
            task.cancel()
        await server.wait_closed()

    async def _check(self, socket: ServerConnection, request: Request) -> Response | None:
        visit = _visit(request)
        if self.behaviour == "slow_open":
            with self.stoppable(socket.transport):
                await asyncio.sleep(30)
        if status := STATUS.get(self.behaviour) or self.refusal(visit):
            return socket.respond(status, "no\n")
        return None

    async def _serve(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        visit = _visit(socket.request)
        self.visits.append(visit)
        self.arrived.set()
        gone = asyncio.create_task(socket.wait_closed())
        gone.add_done_callback(lambda _: visit.closed.set())
        with suppress(ConnectionClosed), self.stoppable(socket.transport):
            if self.behaviour == "deaf":
                socket.transport.pause_reading()
                await asyncio.sleep(30)
            await self.converse(socket, visit)


def _visit(request: Request) -> Visit:
    return Visit.of(request.path, {name.lower(): value for name, value in request.headers.raw_items()})
