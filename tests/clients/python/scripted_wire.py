"""A line on which a test answers a client in the server's place."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from vivavoce.client.errors import ClientError, UnreachableError
from vivavoce.conversation.v1 import conversation_service_pb2 as conversation_pb

Response = conversation_pb.ConverseResponse


class ScriptedWire:
    """One wire, whose other end is the test; `begin` greets, or refuses, as soon as it is opened."""

    def __init__(self, begin: Callable[["ScriptedWire"], None]) -> None:
        self.sent: list[conversation_pb.ConverseRequest] = []
        self._coming: asyncio.Queue[Response | ClientError | None] = asyncio.Queue()
        self._ended = False
        self._room = asyncio.Event()
        self._room.set()
        begin(self)

    @property
    def names(self) -> list[str | None]:
        """What was sent, by the names of the events."""
        return [request.WhichOneof("event") for request in self.sent]

    def tell(self, response: Response) -> None:
        """The server says something."""
        self._coming.put_nowait(response)

    def fill(self) -> None:
        """Nothing more goes in; whoever sends waits."""
        self._room.clear()

    def drain(self) -> None:
        """Whoever waits goes on."""
        self._room.set()

    def end(self, error: ClientError | None = None) -> None:
        """The server ends the stream, or fails; nothing can be sent from now on."""
        self._ended = True
        self._coming.put_nowait(error)

    def cut(self) -> None:
        """The wire breaks."""
        self.end(UnreachableError("The wire is cut."))

    async def send(self, message: conversation_pb.ConverseRequest) -> None:
        # As with gRPC, whoever sends gives way to others.
        await asyncio.sleep(0)
        await self._room.wait()
        if self._ended:
            raise UnreachableError("The wire is cut.")
        self.sent.append(message)

    async def __aiter__(self) -> AsyncIterator[Response]:
        while True:
            match await self._coming.get():
                case None:
                    return
                case ClientError() as error:
                    raise error
                case response:
                    yield response


class Line:
    """Opens one wire after the other, each of which begins as told; counts how often the access token was renewed."""

    def __init__(self, *begins: Callable[[ScriptedWire], None]) -> None:
        self.wires: list[ScriptedWire] = []
        self.renewed = 0
        self._begins = iter(begins)

    @property
    def wire(self) -> ScriptedWire:
        """The one opened last."""
        return self.wires[-1]

    @asynccontextmanager
    async def open(self) -> AsyncIterator[ScriptedWire]:
        """A wire for the length of the block."""
        self.wires.append(ScriptedWire(next(self._begins)))
        yield self.wire

    async def renew(self) -> None:
        """Brings another token."""
        self.renewed += 1
