"""The gRPC server every service runs on: interceptors, health, reflection, and a drain on SIGTERM."""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import grpc
import uvloop
from grpc_health.v1 import health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from vivavoce.mesh.v1.wire_service_pb2_grpc import add_WireServiceServicer_to_server

from mesh.access import check_access
from mesh.calls import Sessions
from mesh.client_call import MAX_WRAPPED_BYTES
from mesh.health import Health
from mesh.interceptors.auth import AuthInterceptor
from mesh.interceptors.errors import ErrorsInterceptor
from mesh.interceptors.tracing import TracingInterceptor
from mesh.interceptors.validation import ValidationInterceptor
from mesh.served_call import Handlers
from mesh.tls import Tls
from mesh.tokens import TokenVerifier
from mesh.wire.landing import SERVICE as WIRE_SERVICE
from mesh.wire.landing import Landing

T = TypeVar("T")

#: Bytes a peer may send ahead of our reading on one stream: half a second of sound. gRPC would let it grow to minutes.
LOOKAHEAD_BYTES: Final = 16 * 1024

#: How long sessions that were cancelled may take to clean up.
_CLEAN_UP_S: Final = 2.0

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Service:
    """A gRPC service to serve: its full proto name, and how it registers with a server.

    `on_drain`, where there is one, is awaited when the server begins to drain. `stores` says of each that the service
    stands on whether it answers now.
    """

    name: str
    register: Callable[[grpc.aio.Server], None]
    on_drain: Callable[[], Awaitable[None]] | None = None
    stores: Mapping[str, bool] = field(default_factory=dict)


class MeshServer:
    """Serves services for the length of an `async with` block.

    `address` is where to listen, port 0 for any free one; read `address` again inside the block for the real one.
    `on_drain` are awaited when draining begins, at most `drain_s` long together: say goodbye on open streams there.
    For `notice_s` a draining server still takes calls: those who balance by its health are gone by then.
    """

    def __init__(
        self,
        services: Sequence[Service],
        verifier: TokenVerifier,
        *,
        address: str = "127.0.0.1:0",
        drain_s: float = 10.0,
        notice_s: float = 0.2,
        tls: Tls | None = None,
        on_drain: Sequence[Callable[[], Awaitable[None]]] = (),
    ) -> None:
        self._services = services
        self._verifier = verifier
        self._drain_s = drain_s
        self._notice_s = notice_s
        self._tls = tls
        self._health = Health()
        self._handlers = Handlers()
        self._landing = Landing(self._handlers)
        self._sessions = Sessions()
        self._server: grpc.aio.Server | None = None
        self._drained = False
        self.address = address
        self.on_drain = [*on_drain, *(service.on_drain for service in services if service.on_drain)]

    async def __aenter__(self) -> Self:
        """Starts to listen.

        Raises:
            RuntimeError: an RPC does not say who may call it, or the address is taken.
        """
        names = [service.name for service in self._services]
        chain = interceptors([*names, WIRE_SERVICE], self._verifier, self._sessions)
        server = grpc.aio.server(interceptors=chain, options=server_options())
        add_WireServiceServicer_to_server(self._landing, server)
        for service in self._services:
            service.register(server)
            self._handlers.add(service.register, chain)
            self._health.add(service.name, service.stores)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        reflection.enable_server_reflection([*names, "grpc.health.v1.Health", reflection.SERVICE_NAME], server)
        self.address = self._bind(server)
        await server.start()
        self._server = server
        _log.info("serving", extra={"address": self.address, "services": names})
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stops; calls still open are cancelled at once, after a failure, or drained first."""
        if error is None:
            await self.drain()
        else:
            await self.stop_now()

    async def drain(self) -> None:
        """Says NOT_SERVING, awaits `on_drain`, takes no new calls, and cancels what is left after `drain_s`."""
        if self._drained or self._server is None:
            return
        self._drained = True
        _log.info("draining", extra={"address": self.address})
        await self._health.enter_graceful_shutdown()
        self._landing.leave()
        ends_at = asyncio.get_running_loop().time() + self._drain_s
        try:
            async with asyncio.timeout_at(ends_at):
                # gRPC cancels, rather than refuses, a call that reaches it in the moment it stops.
                await asyncio.gather(asyncio.sleep(self._notice_s), *(goodbye() for goodbye in self.on_drain))
        except TimeoutError:
            _log.warning("goodbyes took too long", extra={"address": self.address})
        except BaseException:
            # A goodbye failed, or nobody has the patience to wait for it any longer.
            await self.stop_now()
            raise
        await self._stop(max(0.0, ends_at - asyncio.get_running_loop().time()))

    async def stop_now(self) -> None:
        """Cancels all calls, or what is left of a drain; there is no drain after it."""
        self._drained = True
        await self._stop(None)

    async def run_until_signal(self, *signals: signal.Signals) -> None:
        """Serves until SIGTERM or SIGINT (or those given), then drains; a second one stops at once."""
        loop = asyncio.get_running_loop()
        first, second = asyncio.Event(), asyncio.Event()

        def received() -> None:
            (second if first.is_set() else first).set()

        watched = signals or (signal.SIGTERM, signal.SIGINT)
        for each in watched:
            loop.add_signal_handler(each, received)
        try:
            await first.wait()
            await _until_either(self.drain(), second.wait())
            if second.is_set():
                await self.stop_now()
        finally:
            for each in watched:
                loop.remove_signal_handler(each)

    async def _stop(self, grace_s: float | None) -> None:
        if self._server is not None:
            await self._server.stop(grace_s)
            await self._sessions.ended(_CLEAN_UP_S)

    def _bind(self, server: grpc.aio.Server) -> str:
        host, _, _ = self.address.rpartition(":")
        if self._tls is None:
            port = server.add_insecure_port(self.address)
        else:
            port = server.add_secure_port(self.address, self._tls.server_credentials())
        return f"{host}:{port}"


def interceptors(
    services: Sequence[str], verifier: TokenVerifier, sessions: Sessions
) -> list[grpc.aio.ServerInterceptor]:
    """The interceptors of a server of these services, outermost first, warm.

    Raises:
        RuntimeError: an RPC does not say who may call it.
    """
    check_access(services)
    validation = ValidationInterceptor()
    validation.warm(services)
    return [TracingInterceptor(sessions), ErrorsInterceptor(), AuthInterceptor(verifier), validation]


def server_options() -> list[tuple[str, Any]]:
    """The channel arguments of a server."""
    return [
        ("grpc.max_receive_message_length", MAX_WRAPPED_BYTES),
        ("grpc.max_send_message_length", MAX_WRAPPED_BYTES),
        ("grpc.http2.lookahead_bytes", LOOKAHEAD_BYTES),
        ("grpc.http2.bdp_probe", 0),
        ("grpc.keepalive_time_ms", 25_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
        # Two servers on one port would each get half of the calls; a taken port is an error instead.
        ("grpc.so_reuseport", 0),
    ]


def run(main: Coroutine[Any, Any, T]) -> T:
    """Runs a process's main coroutine on uvloop."""
    return uvloop.run(main)


async def _until_either(*works: Coroutine[Any, Any, object]) -> None:
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
