"""Answers a request, or a handshake before its socket opens, with a failure."""

from contextlib import suppress

from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from edge.failures import error_response
from edge.socket_protocol import SocketProtocol
from mesh.errors import VivavoceError


async def deny(error: VivavoceError, scope: Scope, receive: Receive, send: Send) -> None:
    """Says `error` as Connect error JSON, and lets nothing more happen."""
    with suppress(WebSocketDisconnect):
        await error_response(error)(scope, receive, send)
    if scope["type"] == "websocket":
        socket: SocketProtocol = scope["state"]["socket"]
        socket.refused()
