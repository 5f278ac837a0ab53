"""Where a call came from, and the headers every answer carries."""

from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

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

_LONGEST_ORIGIN: Final = 300


def peer_metadata(connection: HTTPConnection) -> tuple[tuple[str, str], ...]:
    """Tells a service where a call came from, and that it is the edge who says so; from a browser also which page."""
    peers: Peers = connection.app.state.peers
    address = peers.on_behalf_of(connection.client.host) if connection.client else ()
    origin = connection.headers.get("origin", "")
    # What no browser sends is nobody's page.
    return (*address, ("origin", origin)) if origin.isascii() and 0 < len(origin) <= _LONGEST_ORIGIN else address


class SecurityHeaders:
    """Adds the security headers to every answer, refused handshakes included, and HSTS where the connection is TLS."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the call on."""

        async def send_secured(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                if scope.get("scheme") in ("https", "wss"):
                    headers.setdefault("strict-transport-security", "max-age=31536000")
            await send(message)

        await self._app(scope, receive, send_secured)
