"""The WebSocket protocol of uvicorn, mended: a peer that is gone, does not read, or sends dust can't keep its place."""

import asyncio
from socket import IPPROTO_TCP, TCP_NOTSENT_LOWAT
from typing import Final

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode, Frame
from websockets.protocol import State

from edge.raw_answers import raw_answer
from edge.refusals import NotHttpError

#: How long a connection may take to finish after its session has ended.
_LINGER_S: Final = 2.0
#: What may wait to leave, half a second of sound in this process and as much in the kernel, which else keeps megabytes:
#: behind more a slow peer would meet a ping, and the end of an interrupted reply, too late.
_AHEAD_BYTES: Final = 24 * 1024
#: A message may come in so many pieces; empty ones would otherwise add up without being large.
_MAX_PIECES: Final = 1024
#: Answers to pings that may wait for a peer that does not read.
_MAX_WAITING_BYTES: Final = 64 * 1024


class SocketProtocol(WebSocketsSansIOProtocol):
    """Aborts where uvicorn would wait for a write buffer that never drains.

    The application finds it as `scope["state"]["socket"]`.
    """

    _aborting: asyncio.TimerHandle | None = None
    _stalled: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Makes itself known to the application."""
        super().connection_made(transport)
        self.close_timeout = _LINGER_S
        self.transport.set_write_buffer_limits(_AHEAD_BYTES)
        self.transport.get_extra_info("socket").setsockopt(IPPROTO_TCP, TCP_NOTSENT_LOWAT, _AHEAD_BYTES)
        self.app_state = {**self.app_state, "socket": self}

    def connection_lost(self, exc: Exception | None) -> None:
        """Forgets the timer, and gives back the place the connection came with."""
        super().connection_lost(exc)
        self._forget_stall()
        if self._aborting is not None:
            self._aborting.cancel()
        self.app_state["connection"].leave_place()

    def data_received(self, data: bytes) -> None:
        """Reads on. A handshake that websockets can't read gets an answer, which uvicorn would leave it without."""
        super().data_received(data)
        if not self.handshake_initiated and not self.transport.is_closing():
            self.transport.write(raw_answer(NotHttpError("This is no WebSocket handshake.")))
            self.transport.close()
            self._abort_soon()

    def handle_cont(self, event: Frame) -> None:
        """One more piece of a message."""
        if len(self.frames) < _MAX_PIECES:
            super().handle_cont(event)
        elif not self.transport.is_closing():
            self.conn.fail(CloseCode.MESSAGE_TOO_BIG, "too many pieces")
            self.handle_parser_exception()

    def handle_ping(self) -> None:
        """Answers, unless a lot of answers is waiting to be read."""
        super().handle_ping()
        if self.transport.get_write_buffer_size() > _MAX_WAITING_BYTES:
            self.transport.abort()

    def send_receive_event_to_app(self) -> None:
        """Hands a message on. Text that is not UTF-8 is refused here; uvicorn would log it as an error."""
        if self.curr_msg_data_type == "text" and not _is_utf_8(b"".join(self.frames)):
            self.conn.fail(CloseCode.INVALID_DATA, "")
            self.handle_parser_exception()
        else:
            super().send_receive_event_to_app()

    def handle_parser_exception(self) -> None:
        """Closes with the code of a broken frame; at once where the socket is not open yet and has no codes."""
        if self.conn.close_sent is None:
            self.transport.abort()
            return
        super().handle_parser_exception()
        self._abort_soon()

    def pause_writing(self) -> None:
        """The peer does not read; it has some seconds to begin."""
        super().pause_writing()
        self._stalled = self.loop.call_later(self._patience_s, self._give_up)

    def resume_writing(self) -> None:
        """It reads."""
        super().resume_writing()
        self._forget_stall()

    def keepalive_timeout(self) -> None:
        """A ping was not answered: the peer does not read, unless we hold it back, and with it its answer."""
        if self.read_paused:
            self.pong_timer = self.loop.call_later(self._patience_s, self.keepalive_timeout)
        else:
            self._give_up()

    def shutdown(self) -> None:
        """Says goodbye where nobody has yet; uvicorn would fail where the peer has, and leave all others without."""
        if self.handshake_complete and not self.close_sent and self.conn.state is not State.OPEN:
            self.stop_keepalive()
            self._abort_soon()
        else:
            super().shutdown()

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

    @property
    def _patience_s(self) -> float:
        return self.ping_timeout or 0.0

    def _give_up(self) -> None:
        """Closes with a code after which clients come back; for the application the peer is gone at once."""
        self._abort_soon()
        if not self.close_sent and not self.transport.is_closing():
            self.conn.fail(CloseCode.INTERNAL_ERROR, "TOO_SLOW")
            self.handle_parser_exception()
        self.disconnected = True
        self.let_through()

    def _forget_stall(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def _abort_soon(self) -> None:
        if not self.disconnected and self._aborting is None:
            self._aborting = self.loop.call_later(_LINGER_S, self.transport.abort)


def _is_utf_8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
