"""Puts the edge together: what answers which path, and what it needs from the mesh."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

from edge.calls import Calls
from edge.converse_socket import ConverseSockets
from edge.failures import plain_response
from edge.health import Health
from edge.http import ConnectRpcs
from edge.listener import bind, listen
from edge.rest.door import RestDoor
from edge.security import SecurityHeaders
from edge.settings import Settings
from mesh.clock import Clock
from mesh.peers import Peers
from mesh.people_keys import people_keys
from mesh.tokens import TokenVerifier

_STATIC: Final = Path(__file__).parent / "static"
_OPENAPI: Final = Path(__file__).parent / "openapi.json"
_DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class Edge:
    """A running edge."""

    #: Where it really listens, such as http://127.0.0.1:8080.
    url: str
    port: int


@asynccontextmanager
async def open_edge(settings: Settings, peers: Peers, clock: Clock) -> AsyncIterator[Edge]:
    """Serves HTTP and WebSockets for the length of the block. Sockets still open at its end are closed with 1012.

    Raises:
        InvalidFieldError: the port is taken, or the host can't be listened on.
    """
    bound = bind(settings.host, settings.port)
    port: int = bound.getsockname()[1]
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    health = Health(peers)
    web = _routes(settings, peers, clock, health)
    web.state.peers = peers
    async with listen(web, bound, settings):
        try:
            yield Edge(url=f"http://{host}:{port}", port=port)
        finally:
            health.draining = True


def _routes(settings: Settings, peers: Peers, clock: Clock, health: Health) -> Starlette:
    calls = Calls(settings=settings, peers=peers)
    rpcs = ConnectRpcs(calls)
    rest = RestDoor(calls)
    verifier = TokenVerifier(lambda: people_keys(peers.channel("user")), clock)
    sockets = ConverseSockets(settings=settings, peers=peers, verifier=verifier, clock=clock)
    return Starlette(
        routes=[
            WebSocketRoute("/v1/converse", sockets.serve),
            Route("/v1/converse", _upgrade_required),
            Route("/vivavoce.{service}/{method}", rpcs.serve, methods=["POST"]),
            Route("/v1/{path:path}", rest.serve, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
            Route("/openapi.json", _openapi),
            Route("/healthz", health.healthz),
            Route("/readyz", health.readyz),
            Route("/metrics", health.metrics),
            Route("/", _page),
            Mount("/static", StaticFiles(directory=_STATIC)),
        ],
        middleware=[Middleware(SecurityHeaders), *_cors(settings)],
        exception_handlers={HTTPException: _http_failure},
    )


def _cors(settings: Settings) -> list[Middleware]:
    if not settings.allowed_origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=list(settings.allowed_origins),
            allow_methods=["GET", "POST", "PATCH", "DELETE"],
            allow_headers=["authorization", "connect-protocol-version", "connect-timeout-ms", "traceparent"],
            expose_headers=["content-disposition", "retry-after"],
            max_age=_DAY_S,
        )
    ]


async def _page(_: Request) -> Response:
    return FileResponse(_STATIC / "index.html", headers={"cache-control": "no-cache"})


async def _openapi(_: Request) -> Response:
    return FileResponse(_OPENAPI, headers={"cache-control": "no-cache"})


async def _upgrade_required(_: Request) -> Response:
    raise HTTPException(426, "Open this path as a WebSocket.", headers={"upgrade": "websocket"})


async def _http_failure(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException), "it is registered for no other"
    return plain_response(error.status_code, error.detail, error.headers)
