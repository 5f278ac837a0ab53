"""A local WebSocket server that emulated vendors stand on: it keeps what it saw, and can misbehave on request."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal, TypeVar
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from services.ai_engine.domain.roles import SpeechChunk

Behaviour = Literal[
    "answer",
    #: Refuses the handshake: HTTP 401, 429, 500.
    "refuse_key", "rate_limited", "broken",
    #: Never answers: the handshake, what it is asked, the goodbye.
    "slow_open", "stall", "deaf",
    #: In the middle of an answer: cuts the connection, closes it, sends what is no message, half a UTF-8 rune.
    "cut", "end_early", "garbage", "half_rune",
    #: Ends the session for lasting too long, in the vendor's own words.
    "session_cap",
    #: Hears and says nothing.
    "silence",
]  # fmt: skip

_STATUS = {"refuse_key": 401, "rate_limited": 429, "broken": 500}
E_ = TypeVar("E_", bound="SocketEmulator")


@dataclass(slots=True)
class Visit:
    """One connection a vendor saw."""

    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    #: Messages of the client: JSON as it came, sound as bytes.
    texts: list[str] = field(default_factory=list)
    sound: bytearray = field(default_factory=bytearray)
    closed: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True)
class SocketEmulator(ABC):
    """What a vendor does next, and what it saw."""

    behaviour: Behaviour = "answer"
    #: Where it is: ws://127.0.0.1 and a port.
    url: str = ""
    visits: list[Visit] = field(default_factory=list)
    subprotocol: str = ""
    #: Set when it was asked and does not answer.
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    #: What a voice was asked for, connection by connection; pieces beyond so many wait until `go` is set.
    voices: list[str] = field(default_factory=list)
    paces: list[float] = field(default_factory=list)
    hold_after: int = 1_000_000
    go: asyncio.Event = field(default_factory=asyncio.Event)
    _server: Server | None = None
    _serving: set[asyncio.Task[object]] = field(default_factory=set)

    @property
    def last(self) -> Visit:
        """The newest connection."""
        return self.visits[-1]

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
            case "garbage":
                await socket.send("{this is not JSON")
                await asyncio.sleep(30)
            case "half_rune":
                await socket.send(b'{"type": "\xe2\x82', text=True)
                await asyncio.sleep(30)
            case _:
                return False
        return True

    async def pieces(self, chunks: AsyncIterator[SpeechChunk]) -> AsyncIterator[SpeechChunk | None]:
        """The pieces of an answer, None where it is time to misbehave; waits where it is told to."""
        if self.behaviour == "silence":
            return
        count = 0
        async for chunk in chunks:
            if count == 1:
                yield None
            if count == self.hold_after:
                await self.go.wait()
            count += 1
            yield chunk

    async def start(self) -> None:
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
        self.url = f"ws://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        """Is gone, with every connection; stopping twice is harmless."""
        if (server := self._server) is None:
            return
        self._server = None
        server.close(close_connections=False)
        for task in self._serving:
            task.cancel()
        await server.wait_closed()

    async def _check(self, socket: ServerConnection, request: Request) -> Response | None:
        visit = _visit(request)
        if self.behaviour == "slow_open":
            with self._stoppable(socket):
                await asyncio.sleep(30)
        if status := _STATUS.get(self.behaviour) or self.refusal(visit):
            return socket.respond(status, "no\n")
        return None

    async def _serve(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        visit = _visit(socket.request)
        self.visits.append(visit)
        # Also seen while an answer is held back.
        gone = asyncio.create_task(socket.wait_closed())
        gone.add_done_callback(lambda _: visit.closed.set())
        with suppress(ConnectionClosed), self._stoppable(socket):
            if self.behaviour == "deaf":
                socket.transport.pause_reading()
                await asyncio.sleep(30)
            await self.converse(socket, visit)

    @contextmanager
    def _stoppable(self, socket: ServerConnection) -> Iterator[None]:
        """Lets `stop` end what this task serves."""
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            yield
        except asyncio.CancelledError:
            socket.transport.abort()
            raise
        finally:
            self._serving.discard(task)


@asynccontextmanager
async def running(emulator: E_) -> AsyncIterator[E_]:
    """Runs it on a free port of the loopback interface."""
    await emulator.start()
    try:
        yield emulator
    finally:
        await emulator.stop()


def _visit(request: Request) -> Visit:
    parts = urlsplit(request.path)
    headers = {name.lower(): value for name, value in request.headers.raw_items()}
    return Visit(parts.path, parse_qs(parts.query, keep_blank_values=True), headers)
