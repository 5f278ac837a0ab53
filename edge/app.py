"""Puts the edge together: what answers which path, and what it needs from the mesh."""

import asyncio
import socket
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
from starlette.routing import Route, WebSocketRoute

from edge.addresses import Places, TrustedProxies
from edge.calls import Calls
from edge.certificate import check_certificate, open_certificate
from edge.converse_socket import ConverseSockets
from edge.failures import plain_response
from edge.gate import Gate
from edge.health import Health
from edge.http import ConnectRpcs
from edge.listener import bind, listen, port_of
from edge.origins import Origins
from edge.playback import Playback
from edge.realtime.admission import Admission
from edge.realtime.client_secrets import ClientSecrets
from edge.realtime.socket import RealtimeSockets
from edge.rest.door import RestDoor
from edge.security import SecurityHeaders
from edge.settings import Settings
from edge.sockets import Crowd
from edge.web_client import WebClient
from mesh.clock import Clock
from mesh.ephemeral import EphemeralSettings
from mesh.peers import Peers
from mesh.rates import Rates, check_rates
from mesh.settings import load
from mesh.tokens import TokenVerifier

_CLIENT: Final = Path(__file__).parent / "web"
_OPENAPI: Final = Path(__file__).parent / "openapi.json"
_DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class Edge:
    """A running edge."""

    #: Where it really listens, such as http://127.0.0.1:8080.
    url: str
    port: int
    #: Where its metrics are; empty where they are not served.
    metrics_url: str = ""


@asynccontextmanager
async def open_edge(settings: Settings, peers: Peers, verifier: TokenVerifier, clock: Clock) -> AsyncIterator[Edge]:
    """Serves HTTP and WebSockets for the length of the block. Sockets still open at its end are closed with 1012.

    Raises:
        InvalidFieldError: the port is taken, the host can't be listened on, or a setting is none.
    """
    await asyncio.to_thread(check, settings)
    client = await asyncio.to_thread(WebClient, _CLIENT)
    health = Health(peers)
    with bind(settings.host, settings.port) as bound:
        async with (
            Rates(load(EphemeralSettings).url) as rates,
            open_certificate(settings.certificate, settings.key, clock) as tls,
            _metrics(settings, health) as metrics_url,
            listen(_web(settings, peers, verifier, clock, health, rates, client), bound, settings, tls),
        ):
            url = _url(settings.host, bound, secure=tls is not None)
            try:
                yield Edge(url=url, port=port_of(bound), metrics_url=metrics_url)
            finally:
                health.draining = True


def check(settings: Settings) -> None:
    """Reads what the settings say before anything starts. Blocks.

    Raises:
        InvalidFieldError: one says nothing that could be meant.
    """
    check_rates([settings.request_rate])
    Origins(settings.allowed_origins, only_here=settings.only_here)
    TrustedProxies(settings.trusted_proxies)
    check_certificate(settings.certificate, settings.key)


def _web(
    settings: Settings,
    peers: Peers,
    verifier: TokenVerifier,
    clock: Clock,
    health: Health,
    rates: Rates,
    client: WebClient,
) -> Starlette:
    calls = Calls(settings=settings, peers=peers)
    rpcs = ConnectRpcs(calls)
    rest = RestDoor(calls)
    playback = Playback(calls)
    origins = Origins(settings.allowed_origins, only_here=settings.only_here)
    crowd = Crowd(settings.max_sockets)
    sockets = ConverseSockets(
        settings=settings, peers=peers, verifier=verifier, origins=origins, crowd=crowd, clock=clock
    )
    admission = Admission(peers=peers, verifier=verifier, origins=origins)
    realtime = RealtimeSockets(settings=settings, peers=peers, admission=admission, crowd=crowd, clock=clock)
    secrets = ClientSecrets(calls, clock)
    web = Starlette(
        routes=[
            WebSocketRoute("/v1/converse", sockets.serve),
            Route("/v1/converse", _upgrade_required),
            WebSocketRoute("/v1/realtime", realtime.serve),
            Route("/v1/realtime", _upgrade_required),
            Route("/v1/realtime/client_secrets", secrets.serve, methods=["POST"]),
            Route("/vivavoce.{service}/{method}", rpcs.serve, methods=["POST"]),
            Route("/vivavoce.{service}/{method}", _post_only),
            Route("/v1/playback/{link}", playback.by_link),
            Route("/v1/{of}/{id}/sound", playback.by_token),
            Route("/v1/{path:path}", rest.serve, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
            Route("/openapi.json", _openapi),
            Route("/healthz", health.healthz),
            Route("/readyz", health.readyz),
            Route("/{path:path}", client.serve),
        ],
        middleware=[Middleware(SecurityHeaders), *_cors(settings), _gate(settings, rates)],
        exception_handlers={HTTPException: _http_failure},
    )
    web.state.peers = peers
    return web


def _gate(settings: Settings, rates: Rates) -> Middleware:
    return Middleware(
        Gate,
        rates=rates,
        rate=settings.request_rate,
        requests=Places(settings.max_requests_per_address),
        sockets=Places(settings.max_sockets_per_address),
    )


@asynccontextmanager
async def _metrics(settings: Settings, health: Health) -> AsyncIterator[str]:
    if not settings.metrics_port:
        yield ""
        return
    with bind(settings.metrics_host, settings.metrics_port) as bound:
        async with listen(Starlette(routes=[Route("/metrics", health.metrics)]), bound, settings):
            yield f"{_url(settings.metrics_host, bound)}/metrics"


def _url(host: str, bound: socket.socket, *, secure: bool = False) -> str:
    name = f"[{host}]" if ":" in host else host
    return f"{'https' if secure else 'http'}://{name}:{port_of(bound)}"


def _cors(settings: Settings) -> list[Middleware]:
    if not settings.allowed_origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=list(settings.allowed_origins),
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=["authorization", "connect-protocol-version", "connect-timeout-ms", "traceparent"],
            expose_headers=["content-disposition", "retry-after"],
            max_age=_DAY_S,
        )
    ]


async def _openapi(_: Request) -> Response:
    return FileResponse(_OPENAPI, headers={"cache-control": "no-cache"})


async def _upgrade_required(_: Request) -> Response:
    raise HTTPException(426, "Open this path as a WebSocket.", headers={"upgrade": "websocket"})


async def _post_only(_: Request) -> Response:
    raise HTTPException(405, "Calls are made by POST.", headers={"allow": "POST"})


async def _http_failure(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException), "it is registered for no other"
    return plain_response(error.status_code, error.detail, error.headers)
