"""The WebSocket protocol of uvicorn, mended: a peer that is gone or does not read can't keep its connection."""

import asyncio
from typing import Final

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

#: How long a connection may take to finish after its session has ended.
_LINGER_S: Final = 2.0


class SocketProtocol(WebSocketsSansIOProtocol):
    """Aborts where uvicorn would wait for a write buffer that never drains.

    The application finds it as `scope["state"]["socket"]`.
    """

    _aborting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Makes itself known to the application."""
        super().connection_made(transport)
        self.close_timeout = _LINGER_S
        self.app_state = {**self.app_state, "socket": self}

    def connection_lost(self, exc: Exception | None) -> None:
        """Forgets the timer."""
        super().connection_lost(exc)
        if self._aborting is not None:
            self._aborting.cancel()

    def keepalive_timeout(self) -> None:
        """Cuts a peer that did not answer a ping."""
        super().keepalive_timeout()
        self._abort_soon()

    def let_through(self) -> None:
        """Lets the last frames into the write buffer although it is full; nothing else may be sent after them."""
        self.writable.set()

    def refused(self) -> None:
        """Tells uvicorn that a refused handshake was answered; it would log an error."""
        self.handshake_complete = True

    async def run_asgi(self) -> None:
        """Runs the application, after which the connection has some seconds to close."""
        await super().run_asgi()
        self._abort_soon()

    def _abort_soon(self) -> None:
        if not self.disconnected and self._aborting is None:
            self._aborting = self.loop.call_later(_LINGER_S, self.transport.abort)
