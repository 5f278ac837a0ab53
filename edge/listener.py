"""Listens: uvicorn with bounds of our own, on a socket that is bound before anything else starts."""

import asyncio
import errno
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from typing import Any, Final, cast

import uvicorn
from starlette.types import ASGIApp

from edge.addresses import Places, TrustedProxies
from edge.http_protocol import Bounds, HttpProtocol
from edge.settings import Settings
from edge.socket_protocol import SocketProtocol
from mesh.errors import InvalidFieldError

#: The largest message of a socket: a second of 48 kHz sound in protobuf JSON, and room around it.
MAX_MESSAGE_BYTES: Final = 160 * 1024
#: How often a socket is asked whether it is read, in the time it may be unread.
_PINGS: Final = 4
_GRACE_S: Final = 3
_KEEP_ALIVE_S: Final = 10
_BACKLOG: Final = 1024


def bind(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        InvalidFieldError: the port is taken or may not be used, or the host is not of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        bound = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise InvalidFieldError(_why(error, host, port), field=_culprit(error)) from error
    # What it accepts inherits this: uvloop would see to it by itself, asyncio does not for such a socket, and then the
    # second of two small frames waits 40 ms for the first to be acknowledged.
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return bound


def port_of(bound: socket.socket) -> int:
    """The port a listening socket is bound to."""
    port: int = bound.getsockname()[1]
    return port


@asynccontextmanager
async def listen(
    app: ASGIApp, bound: socket.socket, settings: Settings, tls: ssl.SSLContext | None = None
) -> AsyncIterator[None]:
    """Serves `app` on the bound socket for the length of the block; afterwards open sockets get 1012 and are gone."""
    server = _Server(_config(app, settings), tls, settings.head_within_s)
    serving = asyncio.create_task(server.serve(sockets=[bound]), name="edge")
    # A server that fails to start must not be waited for.
    serving.add_done_callback(lambda _: server.listening.set())
    try:
        await server.listening.wait()
        if serving.done():
            serving.result()
        yield
    finally:
        server.stopping.set()
        await serving
        await _cut_off(server)


class _Server(uvicorn.Server):
    """Says when it listens, stops at once when told to, and leaves signals to the process."""

    def __init__(self, config: uvicorn.Config, tls: ssl.SSLContext | None, handshake_within_s: float) -> None:
        super().__init__(config)
        self._tls: dict[str, Any] = {"ssl": tls, "ssl_handshake_timeout": handshake_within_s} if tls else {}
        self.listening = asyncio.Event()
        self.stopping = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        # uvicorn would give a silent TLS handshake a minute.
        loop = asyncio.get_running_loop()
        make = partial(cast(Any, self.config.http_protocol_class), self.config, self.server_state, {}, loop)
        self.servers = [
            await loop.create_server(make, sock=bound, backlog=_BACKLOG, **self._tls) for bound in sockets or []
        ]
        self.started = True
        self.listening.set()

    async def main_loop(self) -> None:
        while not self.stopping.is_set():
            # Sets the Date header, for the second it is good for.
            await self.on_tick(0)
            with suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await self.stopping.wait()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _cut_off(server: uvicorn.Server) -> None:
    """Ends what did not end by itself in the time of grace."""
    for connection in list(server.server_state.connections):
        connection.transport.abort()
    if server.server_state.tasks:
        await asyncio.wait(server.server_state.tasks, timeout=_GRACE_S)


def _config(app: ASGIApp, settings: Settings) -> uvicorn.Config:
    bounds = Bounds(
        connections=settings.max_connections,
        places=Places(settings.max_connections_per_address),
        proxies=TrustedProxies(settings.trusted_proxies),
        head_within_s=settings.head_within_s,
        body_within_s=settings.body_within_s,
        stalled_after_s=settings.stalled_after_s,
    )
    return uvicorn.Config(
        app,
        # uvicorn calls it as it would the class.
        http=cast(type[asyncio.Protocol], partial(HttpProtocol, bounds=bounds)),
        ws=SocketProtocol,
        lifespan="off",
        # Lines of access would carry URLs and addresses; spans and counters tell what is needed.
        access_log=False,
        log_config=None,
        log_level="warning",
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_GRACE_S,
        ws_max_size=MAX_MESSAGE_BYTES,
        ws_ping_interval=settings.stalled_after_s / _PINGS,
        ws_ping_timeout=settings.stalled_after_s,
        ws_per_message_deflate=False,
    )


def _why(error: OSError, host: str, port: int) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"Port {port} is taken by another program; choose one with --port or VIVAVOCE_EDGE_PORT."
        case errno.EACCES:
            return f"Port {port} is reserved for the administrator; choose one above 1023 with --port."
        case _:
            return f"This machine can't listen on {host}; choose another with --host or VIVAVOCE_EDGE_HOST."


def _culprit(error: OSError) -> str:
    return "port" if error.errno in (errno.EADDRINUSE, errno.EACCES) else "host"
