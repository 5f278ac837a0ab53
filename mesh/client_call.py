"""The client's side of a call that gRPC does not carry itself: within the process, or by a shared wire."""

import asyncio
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Generator
from typing import Any, Final, Protocol

import grpc
from grpc.aio import EOF, AioRpcError, Metadata

from mesh.mailbox import Closed, Mailbox
from mesh.served_context import Ending

#: Messages on their way in one direction of one call; then the writer waits, as it does for gRPC's flow control.
ON_THE_WAY: Final = 16
#: The largest message of a call.
MAX_MESSAGE_BYTES: Final = 8 * 1024 * 1024
#: What gRPC takes: such a message in its parcel.
MAX_WRAPPED_BYTES: Final = MAX_MESSAGE_BYTES + 1024


class Line(Protocol):
    """What carries one call to its server and back."""

    @property
    def requests(self) -> Mailbox[bytes]:
        """Takes what the client sends."""
        ...

    @property
    def responses(self) -> Mailbox[bytes]:
        """Holds what the server sent."""
        ...

    def half_close(self) -> None:
        """Says that the client has sent its last."""
        ...

    def cancel(self) -> None:
        """Says that the client wants no more."""
        ...


class ClientCall:
    """One call of any arity; behaves as grpc.aio's call objects do. Whoever owns the line gives it its `end`."""

    def __init__(
        self, write: Callable[[Any], bytes], parse: Callable[[bytes], Any], timeout_s: float | None, line: Line
    ) -> None:
        loop = asyncio.get_running_loop()
        self._write = write
        self._parse = parse
        self._line = line
        self._ending: asyncio.Future[Ending] = loop.create_future()
        self._cancelled_here = False
        self._feeder: asyncio.Task[None] | None = None
        self._until = None if timeout_s is None else time.monotonic() + timeout_s
        self._timer = None if timeout_s is None else loop.call_later(timeout_s, self._expire)

    async def write(self, request: Any) -> None:  # noqa: ANN401 (of the method's type)
        """Sends one message; waits while too many are on their way."""
        data = self._written(request)
        if self._ending.done():
            raise asyncio.InvalidStateError("RPC already finished.")
        try:
            if not self._line.requests.offer(data):
                await self._line.requests.put(data)
        except Closed:
            raise asyncio.InvalidStateError("RPC already finished, or done with writing.") from None

    async def done_writing(self) -> None:
        """Half-closes."""
        self._line.half_close()

    async def read(self) -> Any:  # noqa: ANN401 (of the method's type, or EOF)
        """The next message, or EOF."""
        try:
            return self._parse(await self._line.responses.get())
        except Closed:
            await self._raise_for_status()
            return EOF

    async def __aiter__(self) -> AsyncIterator[Any]:
        """The messages up to the last."""
        while (message := await self.read()) is not EOF:
            yield message

    def __await__(self) -> Generator[Any, None, Any]:
        """The one response."""
        return self._response().__await__()

    def cancel(self) -> bool:
        """Ends the call from the client's side."""
        if self._ending.done():
            return False
        self._cancelled_here = True
        self.stop(Ending(grpc.StatusCode.CANCELLED, "Locally cancelled by application!"))
        return True

    def done(self) -> bool:
        """Whether the call has its status."""
        return self._ending.done()

    def cancelled(self) -> bool:
        """Whether it was cancelled."""
        return self.done() and self._ending.result().code is grpc.StatusCode.CANCELLED

    def time_remaining(self) -> float | None:
        """Seconds until its deadline."""
        return None if self._until is None else max(0.0, self._until - time.monotonic())

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        """Calls `callback` when it has ended."""
        self._ending.add_done_callback(lambda _: callback(self))

    async def code(self) -> grpc.StatusCode:
        """Its status, once it has ended."""
        return (await asyncio.shield(self._ending)).code

    async def details(self) -> str:
        """The message of its status."""
        return (await asyncio.shield(self._ending)).details

    async def initial_metadata(self) -> Metadata:
        """Nothing: none of our services sends any."""
        return Metadata()

    async def trailing_metadata(self) -> Metadata:
        """What came along with the status."""
        return Metadata(*(await asyncio.shield(self._ending)).metadata)

    async def wait_for_connection(self) -> None:
        """Returns at once."""

    def connect(self, inbox: Mailbox[Any], outbox: Mailbox[Any]) -> None:
        """Lets messages pass by the client's tasks, while nothing waits: see `mesh.streams.Within`."""
        outbox.hand_on(self._line.requests, self._written)
        self._line.responses.hand_on(inbox, self._parse)

    def feed(self, request: Any) -> None:  # noqa: ANN401 (a message, or an iterator of them)
        """Sends the request of the call, or all that an iterator gives."""
        if isinstance(request, AsyncIterable) or hasattr(request, "__next__"):
            self._feeder = asyncio.get_running_loop().create_task(self._feed(request), name="request feeder")
        else:
            self._line.requests.offer(self._written(request))
            self._line.half_close()

    def end(self, ending: Ending) -> None:
        """Gives the call its status. The first one counts."""
        if self._ending.done():
            return
        if self._timer:
            self._timer.cancel()
        self._ending.set_result(ending)
        self._line.requests.close()
        self._line.responses.close()
        if self._feeder:
            self._feeder.cancel()

    def stop(self, ending: Ending) -> None:
        """Gives the call its status from this side, and tells the server that nobody wants more."""
        self.end(ending)
        self._line.responses.discard()
        self._line.cancel()

    def _written(self, request: Any) -> bytes:  # noqa: ANN401 (of the method's type)
        data = self._write(request)
        if len(data) > MAX_MESSAGE_BYTES:
            self.stop(Ending(grpc.StatusCode.RESOURCE_EXHAUSTED, f"Message larger than max ({len(data)} bytes)"))
        return data

    def _expire(self) -> None:
        self.stop(Ending(grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded"))

    async def _response(self) -> Any:  # noqa: ANN401 (of the method's type)
        try:
            response = await self.read()
        except asyncio.CancelledError:
            self.cancel()
            raise
        await self.code()
        await self._raise_for_status()
        return response

    async def _raise_for_status(self) -> None:
        ending = await asyncio.shield(self._ending)
        if self._cancelled_here:
            raise asyncio.CancelledError
        if ending.code is not grpc.StatusCode.OK:
            raise AioRpcError(ending.code, Metadata(), Metadata(*ending.metadata), ending.details)

    async def _feed(self, requests: Any) -> None:  # noqa: ANN401 (either kind of iterator)
        if isinstance(requests, AsyncIterable):
            async for request in requests:
                await self.write(request)
        else:
            for request in requests:
                await self.write(request)
        await self.done_writing()
