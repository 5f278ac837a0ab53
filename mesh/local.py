"""A channel to services in the same process: the same handlers and interceptors, and no socket."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from types import TracebackType
from typing import Any, Final, Self

import grpc
from grpc_health.v1 import health_pb2_grpc  # The import also makes the service known to the pool.

from mesh.calls import Sessions
from mesh.client_call import ON_THE_WAY, ClientCall
from mesh.health import Health
from mesh.mailbox import Mailbox
from mesh.served_call import Handlers, ServedCall
from mesh.served_context import Pairs, ServedContext, Source
from mesh.server import Service, interceptors
from mesh.tokens import TokenVerifier

#: How long calls may take to clean up when the channel closes.
_CLEAN_UP_S: Final = 2.0
_HEALTH: Final = "grpc.health.v1.Health"
#: There is no handshake within a process.
_HERE: Final = Source("local")


class LocalChannel(grpc.aio.Channel):
    """Stands in for a gRPC channel: give it to a stub. Use as `async with`; leaving cancels the calls still open.

    Messages are written and parsed as on the network, so that neither side sees what the other changes later, and a
    message over the limit is refused. Metadata, deadlines, cancellation, status and details behave as gRPC's do.
    """

    def __init__(self, services: Sequence[Service], verifier: TokenVerifier) -> None:
        self._verifier = verifier
        self._sessions = Sessions()
        self._handlers = Handlers()
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
            self._handlers.add(service.register, chain)
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

    def begin(
        self,
        method: str,
        write: Callable[[Any], bytes],
        parse: Callable[[bytes], Any],
        metadata: Pairs,
        timeout_s: float | None,
    ) -> ClientCall:
        """Opens a call."""
        line = _Line()
        call = ClientCall(write, parse, timeout_s, line)
        served = ServedCall(ServedContext(metadata, timeout_s, _HERE), line.requests, line.responses)
        line.task = served.begin(self._handlers, method, call.end)
        self._answering.add(line.task)
        line.task.add_done_callback(self._answering.discard)
        return call


class _Line:
    """Both ends of a call hold the same mailboxes."""

    def __init__(self) -> None:
        self.requests: Mailbox[bytes] = Mailbox(ON_THE_WAY)
        self.responses: Mailbox[bytes] = Mailbox(ON_THE_WAY)
        self.task: asyncio.Task[None] | None = None

    def half_close(self) -> None:
        self.requests.close()

    def cancel(self) -> None:
        if self.task is not None:
            self.task.cancel()


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
    ) -> ClientCall:
        call = self._channel.begin(self._method, self._write, self._parse, tuple(metadata or ()), timeout)
        if request is not None:
            call.feed(request)
        return call
