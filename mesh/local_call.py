"""One call to a service in the same process, seen from both ends."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Generator
from contextlib import aclosing
from functools import partial
from typing import Any, Final, TypeAlias

import grpc
from grpc.aio import EOF, AioRpcError, Metadata

from mesh.local_context import LocalContext, Pairs
from mesh.mailbox import Closed, Mailbox
from mesh.server import MAX_MESSAGE_BYTES

#: Messages on their way in one direction of one call; then the writer waits, as it does for gRPC's flow control.
_ON_THE_WAY: Final = 16

# Its functions are of whichever arity it has.
Handler: TypeAlias = Any


class LocalCall:
    """The client's side of one call of any arity; behaves as grpc.aio's call objects do."""

    def __init__(
        self, write: Callable[[Any], bytes], parse: Callable[[bytes], Any], metadata: Pairs, timeout_s: float | None
    ) -> None:
        self._write = write
        self._parse = parse
        self._requests: Mailbox[bytes] = Mailbox(_ON_THE_WAY)
        self._responses: Mailbox[bytes] = Mailbox(_ON_THE_WAY)
        self._context = LocalContext(metadata, timeout_s)
        self._status: asyncio.Future[grpc.StatusCode] = asyncio.get_running_loop().create_future()
        self._details = ""
        self._cancelled_here = False
        self._task: asyncio.Task[None] | None = None
        self._feeder: asyncio.Task[None] | None = None
        self._timer = None if timeout_s is None else asyncio.get_running_loop().call_later(timeout_s, self._expire)

    # The client's side.

    async def write(self, request: Any) -> None:  # noqa: ANN401 (of the method's type)
        """Sends one message; waits while too many are on their way."""
        data = self._written(request)
        if self._status.done():
            raise asyncio.InvalidStateError("RPC already finished.")
        try:
            if not self._requests.offer(data):
                await self._requests.put(data)
        except Closed:
            raise asyncio.InvalidStateError("RPC already finished, or done with writing.") from None

    async def done_writing(self) -> None:
        """Half-closes."""
        self._requests.close()

    async def read(self) -> Any:  # noqa: ANN401 (of the method's type, or EOF)
        """The next message, or EOF."""
        try:
            return self._parse(await self._responses.get())
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
        if self._status.done():
            return False
        self._cancelled_here = True
        self._stop(grpc.StatusCode.CANCELLED, "Locally cancelled by application!")
        return True

    def done(self) -> bool:
        """Whether the call has its status."""
        return self._status.done()

    def cancelled(self) -> bool:
        """Whether it was cancelled."""
        return self.done() and self._status.result() is grpc.StatusCode.CANCELLED

    def time_remaining(self) -> float | None:
        """Seconds until its deadline."""
        return self._context.time_remaining()

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        """Calls `callback` when it has ended."""
        self._status.add_done_callback(lambda _: callback(self))

    async def code(self) -> grpc.StatusCode:
        """Its status, once it has ended."""
        return await asyncio.shield(self._status)

    async def details(self) -> str:
        """The message of its status."""
        await self.code()
        return self._details

    async def initial_metadata(self) -> Metadata:
        """Nothing: nothing within a process sends any."""
        return Metadata()

    async def trailing_metadata(self) -> Metadata:
        """What came along with the status."""
        await self.code()
        return Metadata(*self._context.trailing_metadata())

    async def wait_for_connection(self) -> None:
        """Returns at once."""

    def connect(self, inbox: Mailbox[Any], outbox: Mailbox[Any]) -> None:
        """Lets messages pass by the client's tasks, while nothing waits: see `mesh.streams.Within`."""
        outbox.hand_on(self._requests, self._written)
        self._responses.hand_on(inbox, self._parse)

    def feed(self, request: Any) -> None:  # noqa: ANN401 (a message, or an iterator of them)
        """Sends the request of the call, or all that an iterator gives."""
        if isinstance(request, AsyncIterable) or hasattr(request, "__next__"):
            self._feeder = asyncio.get_running_loop().create_task(self._feed(request), name="request feeder")
        else:
            self._requests.offer(self._written(request))
            self._requests.close()

    # The server's side.

    def answered_by(self, task: "asyncio.Task[None]") -> None:
        """Names the task of the handler."""
        self._task = task

    async def run(self, handler: Handler) -> None:
        """Runs the handler, its responses going to the client."""
        parse, write = handler.request_deserializer, handler.response_serializer
        assert parse is not None
        assert write is not None
        requests: Any = self._parsed(parse)
        if not handler.request_streaming:
            requests = await anext(requests)
        method: Any = handler.stream_stream or handler.unary_stream or handler.stream_unary or handler.unary_unary
        if not handler.response_streaming:
            await self._respond(write(await method(requests, self._context)))
            return
        self._context.connects_by(partial(self._connect_handler, parse, write))
        async with aclosing(method(requests, self._context)) as responses:
            async for response in responses:
                data = write(response)
                if not self._responses.offer(data):
                    await self._respond(data)

    def end(self, code: grpc.StatusCode, details: str) -> None:
        """Gives the call its status: the one the handler set, else this. The first one counts."""
        if self._status.done():
            return
        if self._timer:
            self._timer.cancel()
        chosen = self._context.code()
        if self._context.aborted() or (chosen is not None and code is grpc.StatusCode.OK):
            code, details = chosen or code, self._context.details()
        self._details = details
        self._status.set_result(code)
        self._requests.close()
        self._responses.close()
        if self._feeder:
            self._feeder.cancel()
        self._context.ended()

    def _connect_handler(
        self,
        parse: Callable[[bytes], Any],
        write: Callable[[Any], bytes],
        inbox: Mailbox[Any],
        outbox: Mailbox[Any],
    ) -> None:
        self._requests.hand_on(inbox, parse)
        outbox.hand_on(self._responses, write)

    def _written(self, request: Any) -> bytes:  # noqa: ANN401 (of the method's type)
        data = self._write(request)
        if len(data) > MAX_MESSAGE_BYTES:
            self._stop(grpc.StatusCode.RESOURCE_EXHAUSTED, f"Message larger than max ({len(data)} bytes)")
        return data

    def _expire(self) -> None:
        self._stop(grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded")

    def _stop(self, code: grpc.StatusCode, details: str) -> None:
        self.end(code, details)
        self._responses.discard()
        if self._task:
            self._task.cancel()

    async def _parsed(self, parse: Callable[[bytes], Any]) -> AsyncIterator[Any]:
        while True:
            try:
                data = await self._requests.get()
            except Closed:
                return
            yield parse(data)

    async def _respond(self, data: bytes) -> None:
        try:
            await self._responses.put(data)
        except Closed:
            raise asyncio.CancelledError from None

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
        code = await self.code()
        if self._cancelled_here:
            raise asyncio.CancelledError
        if code is not grpc.StatusCode.OK:
            raise AioRpcError(code, Metadata(), await self.trailing_metadata(), self._details)

    async def _feed(self, requests: Any) -> None:  # noqa: ANN401 (either kind of iterator)
        if isinstance(requests, AsyncIterable):
            async for request in requests:
                await self.write(request)
        else:
            for request in requests:
                await self.write(request)
        await self.done_writing()
