"""A channel to services in the same process: the same handlers and interceptors, and no socket."""

import asyncio
import contextvars
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from types import TracebackType
from typing import Any, Final, Self, cast

import grpc
from grpc.aio import AbortError
from grpc_health.v1 import health_pb2_grpc  # The import also makes the service known to the pool.

from mesh.calls import Sessions
from mesh.health import Health
from mesh.local_call import Handler, LocalCall
from mesh.server import Service, interceptors
from mesh.tokens import TokenVerifier

#: How long calls may take to clean up when the channel closes.
_CLEAN_UP_S: Final = 2.0
_HEALTH: Final = "grpc.health.v1.Health"


class LocalChannel(grpc.aio.Channel):
    """Stands in for a gRPC channel: give it to a stub. Use as `async with`; leaving cancels the calls still open.

    Messages are written and parsed as on the network, so that neither side sees what the other changes later, and a
    message over the limit is refused. Metadata, deadlines, cancellation, status and details behave as gRPC's do.
    """

    def __init__(self, services: Sequence[Service], verifier: TokenVerifier) -> None:
        self._verifier = verifier
        self._sessions = Sessions()
        self._handlers = _Handlers()
        self._health = Health()
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
            self._health.add(service.name, service.stores)

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

    def begin(self, call: LocalCall, method: str) -> None:
        """Answers `call` in a task of its own, which knows nothing of what surrounds the caller."""
        task = asyncio.get_running_loop().create_task(
            self._answer(call, method), name=f"local call {method}", context=contextvars.Context()
        )
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)
        call.answered_by(task)

    async def _answer(self, call: LocalCall, method: str) -> None:
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
    ) -> LocalCall:
        call = LocalCall(self._write, self._parse, tuple(metadata or ()), timeout)
        self._channel.begin(call, self._method)
        if request is not None:
            call.feed(request)
        return call
