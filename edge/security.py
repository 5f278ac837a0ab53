"""Which web pages may open a socket, where a call came from, and the headers every answer carries."""

from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mesh.errors import NotAllowedError
from mesh.peers import Peers

#: What every answer carries.
SECURITY_HEADERS: Final = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "media-src 'self' blob:; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "microphone=(self), camera=(), geolocation=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
_HERE: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def check_origin(headers: Headers, allowed: Iterable[str]) -> None:
    """Lets in pages of this very host, of this machine, and of the `allowed` origins.

    A program that is no browser sends no Origin and is let in: it holds a token of its own.

    Raises:
        NotAllowedError: a page of another origin tries to open a socket with what the browser knows.
    """
    origin = headers.get("origin")
    if origin is None or origin in allowed:
        return
    parts = urlsplit(origin)
    if parts.netloc and (parts.netloc == headers.get("host") or parts.hostname in _HERE):
        return
    raise NotAllowedError("Pages of this origin may not connect; add it to VIVAVOCE_EDGE_ALLOWED_ORIGINS.")


def peer_metadata(connection: HTTPConnection) -> tuple[tuple[str, str], ...]:
    """Tells a service where a call came from, and that it is the edge who says so."""
    peers: Peers = connection.app.state.peers
    return peers.on_behalf_of(connection.client.host) if connection.client else ()


class SecurityHeaders:
    """Adds the security headers to every HTTP answer, and HSTS where the connection is TLS."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the call on; sockets untouched."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                if scope.get("scheme") == "https":
                    headers.setdefault("strict-transport-security", "max-age=31536000")
            await send(message)

        await self._app(scope, receive, send_secured)
