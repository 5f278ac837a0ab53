"""A channel to services in the same process: the same handlers and interceptors, and no socket."""

import asyncio
import contextvars
from collections.abc import AsyncIterable, AsyncIterator, Callable, Generator, Iterable, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from types import TracebackType
from typing import Any, Final, Self, TypeAlias, cast

import grpc
from grpc.aio import EOF, AbortError, AioRpcError, Metadata
from grpc_health.v1 import health_pb2, health_pb2_grpc  # The import also makes the service known to the pool.

from mesh.calls import Sessions
from mesh.local_context import LocalContext, Pairs
from mesh.mailbox import Closed, Mailbox
from mesh.server import MAX_MESSAGE_BYTES, Service, interceptors
from mesh.tokens import TokenVerifier

#: Messages on their way in one direction of one call; then the writer waits, as it does for gRPC's flow control.
_ON_THE_WAY: Final = 16
#: How long calls may take to clean up when the channel closes.
_CLEAN_UP_S: Final = 2.0
_HEALTH: Final = "grpc.health.v1.Health"

# Its functions are of whichever arity it has.
Handler: TypeAlias = Any


class LocalChannel(grpc.aio.Channel):
    """Stands in for a gRPC channel: give it to a stub. Use as `async with`; leaving cancels the calls still open.

    Messages are written and parsed as on the network, so that neither side sees what the other changes later, and a
    message over the limit is refused. Metadata, deadlines, cancellation, status and details behave as gRPC's do.
    """

    def __init__(self, services: Sequence[Service], verifier: TokenVerifier) -> None:
        self._verifier = verifier
        self._sessions = Sessions()
        self._handlers = _Handlers()
        self._health = _AllServe()
        self.add([Service(_HEALTH, partial(health_pb2_grpc.add_HealthServicer_to_server, self._health)), *services])
        self._answering: set[asyncio.Task[None]] = set()

    def add(self, services: Sequence[Service]) -> None:
        """Serves these too; for services that need the channel to be built themselves.

        Raises:
            RuntimeError: an RPC does not say who may call it.
        """
        chain = interceptors([service.name for service in services], self._verifier, self._sessions)
        for service in services:
            self._handlers.chain = chain
            service.register(cast(grpc.aio.Server, self._handlers))  # It takes what generated code registers.
            self._health.names.add(service.name)

    async def __aenter__(self) -> Self:
        """Is ready at once."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Cancels the calls still open and waits for their clean-up."""
        await self.close()

    async def close(self, grace: float | None = None) -> None:
        """Gives open calls `grace` seconds to end, cancels them, and waits for their clean-up."""
        if self._answering and grace:
            await asyncio.wait(self._answering, timeout=grace)
        for task in self._answering:
            task.cancel()
        if self._answering:
            await asyncio.wait(self._answering, timeout=_CLEAN_UP_S)
        await self._sessions.ended(_CLEAN_UP_S)

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        """Always ready."""
        return grpc.ChannelConnectivity.READY

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        """Never returns while the state is READY, which it always is."""
        while last_observed_state is grpc.ChannelConnectivity.READY:
            await asyncio.Event().wait()

    async def channel_ready(self) -> None:
        """Returns at once."""

    def unary_unary(  # type: ignore[override]  # One callable serves every arity; the stub knows which it is.
        self,
        method: str,
        request_serializer: Callable[[Any], bytes] | None = None,
        response_deserializer: Callable[[bytes], Any] | None = None,
        _registered_method: bool = False,
    ) -> "_Callable":
        """What a stub calls for an RPC with one request and one response; the other arities are the same."""
        assert request_serializer is not None
        assert response_deserializer is not None
        return _Callable(self, method, request_serializer, response_deserializer)

    unary_stream = stream_unary = stream_stream = unary_unary  # type: ignore[assignment]  # As above.

    def begin(self, call: "LocalCall", method: str) -> None:
        """Answers `call` in a task of its own, which knows nothing of what surrounds the caller."""
        task = asyncio.get_running_loop().create_task(
            self._answer(call, method), name=f"local call {method}", context=contextvars.Context()
        )
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)
        call.answered_by(task)

    async def _answer(self, call: "LocalCall", method: str) -> None:
        try:
            handler = await self._handlers.intercepted(method)
            if handler is None:
                call.end(grpc.StatusCode.UNIMPLEMENTED, "Method not found!")
            else:
                await call.run(handler)
        except asyncio.CancelledError:
            call.end(grpc.StatusCode.CANCELLED, "The call was cancelled.")
            raise
        except AbortError:
            call.end(grpc.StatusCode.UNKNOWN, "")
        except Exception as error:  # The root of the call, as in gRPC's server.
            call.end(grpc.StatusCode.UNKNOWN, f"Unexpected {type(error)}")
        else:
            call.end(grpc.StatusCode.OK, "")


class _AllServe(health_pb2_grpc.HealthServicer):  # type: ignore[misc]  # The package has no types.
    """Health of what was added: a service in this process serves as long as the process does."""

    def __init__(self) -> None:
        self.names = {""}

    async def Check(
        self,
        request: health_pb2.HealthCheckRequest,
        context: grpc.aio.ServicerContext[health_pb2.HealthCheckRequest, health_pb2.HealthCheckResponse],
    ) -> health_pb2.HealthCheckResponse:
        if request.service not in self.names:
            await context.abort(grpc.StatusCode.NOT_FOUND, "There is no such service here.")
        return health_pb2.HealthCheckResponse(status=health_pb2.HealthCheckResponse.SERVING)


class _Handlers:
    """Takes what generated code registers with a server, to be answered behind `chain`."""

    def __init__(self) -> None:
        self.chain: list[grpc.aio.ServerInterceptor] = []
        self._plain: dict[str, tuple[Handler, list[grpc.aio.ServerInterceptor]]] = {}
        self._ready: dict[str, Handler] = {}

    def add_generic_rpc_handlers(self, handlers: Iterable[grpc.GenericRpcHandler]) -> None:
        """The same again, in the older form."""

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Handler]) -> None:
        """Takes the handlers of a service."""
        self._plain.update({f"/{service}/{name}": (handler, self.chain) for name, handler in handlers.items()})

    async def intercepted(self, method: str) -> Handler | None:
        """The handler of `method` behind the interceptors, built once; None where there is none."""
        if method not in self._ready and method in self._plain:
            handler, chain = self._plain[method]
            self._ready[method] = await _behind(chain, handler, _Details(method))
        return self._ready.get(method)


async def _behind(chain: Sequence[grpc.aio.ServerInterceptor], handler: Handler, details: "_Details") -> Handler:
    if not chain:
        return handler
    return await chain[0].intercept_service(
        lambda _: _behind(chain[1:], handler, details), cast(grpc.HandlerCallDetails, details)
    )


class _Details:
    """Tells an interceptor which method is called."""

    def __init__(self, method: str) -> None:
        self.method = method
        self.invocation_metadata = ()


class _Callable:
    """One method of a stub."""

    def __init__(
        self, channel: LocalChannel, method: str, write: Callable[[Any], bytes], parse: Callable[[bytes], Any]
    ) -> None:
        self._channel = channel
        self._method = method
        self._write = write
        self._parse = parse

    def __call__(
        self,
        request: Any = None,  # noqa: ANN401 (a message, an iterator of them, or nothing)
        timeout: float | None = None,
        metadata: Iterable[tuple[str, str | bytes]] | None = None,
        **_: object,
    ) -> "LocalCall":
        call = LocalCall(self._write, self._parse, tuple(metadata or ()), timeout)
        self._channel.begin(call, self._method)
        if request is not None:
            call.feed(request)
        return call


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
