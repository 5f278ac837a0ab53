"""The HTTP protocol of uvicorn, mended: no connection may be silent, slow, or large beyond bounds."""

import asyncio
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from edge.addresses import Places, TrustedProxies
from edge.body import MAX_BODY_BYTES
from edge.raw_answers import raw_answer
from edge.refusals import BodyTooLargeError, FullError, HeadTooLargeError, LateRequestError, NotHttpError, RefusalError

MAX_HEAD_BYTES: Final = 16 * 1024
MAX_HEADERS: Final = 64
#: Of one request with its head, chunk sizes and trailers. The application takes less of a body; more is an attack.
_MAX_REQUEST_BYTES: Final = 4 * MAX_BODY_BYTES
_MAX_PIPELINED: Final = 16
#: The slowest a body may come after its first seconds.
_BODY_BYTES_PER_S: Final = 16 * 1024
#: How long a connection may take to close once all is said.
_LINGER_S: Final = 2.0
#: How long a connection that there is no place for may take to ask, so that it can be told.
_TELL_WITHIN_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """What all connections share."""

    connections: int
    #: Connections by address; those of trusted proxies are not counted.
    places: Places
    proxies: TrustedProxies
    #: For a whole head, from when the connection was made, or from its first byte on one that is kept alive.
    head_within_s: float
    #: For a body, and for more of it at 16 KiB a second.
    body_within_s: float
    #: Without reading its answer.
    stalled_after_s: float


class _Phase(Enum):
    """What a connection waits for from its client."""

    HEAD = "head"
    BODY = "body"
    NOTHING = "nothing"
    SOCKET = "socket"


class HttpProtocol(HttpToolsProtocol):
    """Holds each connection to `Bounds`. The application finds it as `scope["state"]["connection"]`."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        bounds: Bounds,
    ) -> None:
        super().__init__(config, server_state, {**app_state, "connection": self}, _loop)
        self._bounds = bounds
        self._phase = _Phase.HEAD
        self._phase_began = 0.0
        self._received = 0
        self._head_bytes = 0
        self._head_count = 0
        self._deadline: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None
        self._address: str | None = None
        self._refusal: RefusalError | None = None

    # The connection.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Takes a place, and begins to wait for a request."""
        super().connection_made(transport)  # type: ignore[arg-type]  # uvicorn narrows it; a server's is a Transport.
        self._refusal = self._take_place()
        self._wait_for(_Phase.HEAD, _TELL_WITHIN_S if self._refusal else self._bounds.head_within_s)

    def connection_lost(self, exc: Exception | None) -> None:
        """Gives back the place."""
        super().connection_lost(exc)
        self._forget(self._deadline, self._stalled)
        self.leave_place()

    def leave_place(self) -> None:
        """Gives back the place of a connection that is gone; the talking socket that took it over calls this."""
        if self._address is not None:
            self._bounds.places.leave(self._address)
            self._address = None

    def cut(self) -> None:
        """Ends the connection at once, whatever is on its way."""
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.abort()

    # What the client sends.

    def data_received(self, data: bytes) -> None:
        """Reads on, within bounds."""
        self._received += len(data)
        if self._refusal is not None:
            self._refuse(self._refusal)
            return
        self._unset_keepalive_if_required()
        self._parse(data)
        if problem := self._problem():
            self._refuse(problem)
        elif self._phase is _Phase.NOTHING and self._answered():
            # Bytes that begin no request keep no connection alive.
            self._wait_for(_Phase.HEAD, self._bounds.head_within_s)

    def _parse(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # One to another protocol than ours is answered as if nobody had asked for it.
            if self._refusal is None and self._should_upgrade():
                self._phase = _Phase.SOCKET
                self._forget(self._deadline)
                self.handle_websocket_upgrade()
        except httptools.HttpParserError:
            # Also what a callback below raised; it has its refusal already.
            self._refusal = self._refusal or NotHttpError("This is not an HTTP request.")

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._head_bytes = self._head_count = 0
        if self._phase is not _Phase.HEAD:
            self._wait_for(_Phase.HEAD, self._bounds.head_within_s)

    def on_url(self, url: bytes) -> None:
        """A part of the URL."""
        super().on_url(url)
        self._head_bytes += len(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer."""
        self._head_bytes += len(name) + len(value)
        self._head_count += 1
        if self._head_bytes <= MAX_HEAD_BYTES and self._head_count <= MAX_HEADERS:
            super().on_header(name, value)
        else:
            self._refusal = HeadTooLargeError(f"Send at most {MAX_HEADERS} headers, of 16 KiB together.")

    def on_headers_complete(self) -> None:
        """The head is whole: the application begins, unless the head was too large."""
        if self._head_bytes > MAX_HEAD_BYTES:
            self._refusal = HeadTooLargeError("Send at most 16 KiB of URL and headers together.")
        if len(self.pipeline) >= _MAX_PIPELINED:
            self._refusal = FullError("Wait for an answer before sending more requests.")
        if self._refusal is None:
            self._wait_for(_Phase.BODY, self._bounds.body_within_s)
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        if self._refusal is None:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole: now the client waits for us."""
        self._phase = _Phase.NOTHING
        self._forget(self._deadline)
        if self._refusal is None:
            super().on_message_complete()

    def _problem(self) -> RefusalError | None:
        if self._refusal is not None:
            return self._refusal
        if self._phase is _Phase.HEAD and self._received > MAX_HEAD_BYTES:
            return HeadTooLargeError("Send at most 16 KiB of URL and headers together.")
        if self._received > _MAX_REQUEST_BYTES:
            return BodyTooLargeError("The body is over 1 MiB; send less.")
        return None

    def _take_place(self) -> RefusalError | None:
        if len(self.connections) > self._bounds.connections:
            return FullError("All connections are taken; try again in a minute.")
        address = self.client[0] if self.client else ""
        if address in self._bounds.proxies:
            return None
        if not self._bounds.places.take(address):
            return FullError("Your address has too many connections open; close some.")
        self._address = address
        return None

    # Deadlines.

    def _wait_for(self, phase: _Phase, within_s: float) -> None:
        self._forget(self._deadline)
        self._phase = phase
        self._phase_began = self.loop.time()
        if phase is _Phase.HEAD:
            self._received = 0
        self._deadline = self.loop.call_later(within_s, self._late)

    def _late(self) -> None:
        if self._phase is _Phase.BODY:
            allowed_s = self._bounds.body_within_s + self._received / _BODY_BYTES_PER_S
            left_s = self._phase_began + allowed_s - self.loop.time()
            if left_s > 0 or self.flow.read_paused:
                # While we do not read, the client can't be late.
                self._deadline = self.loop.call_later(max(left_s, 1.0), self._late)
                return
        self._refuse(self._refusal or LateRequestError("The request did not come in time; send it at once."))

    def pause_writing(self) -> None:
        """The client does not read; it has some seconds to begin."""
        super().pause_writing()
        self._forget(self._stalled)
        self._stalled = self.loop.call_later(self._bounds.stalled_after_s, self.cut)

    def resume_writing(self) -> None:
        """It reads."""
        super().resume_writing()
        self._forget(self._stalled)

    def on_response_complete(self) -> None:
        """A connection that closes after its answer closes soon, also where nobody reads it."""
        super().on_response_complete()
        if self.transport.is_closing():
            self.loop.call_later(_LINGER_S, self.transport.abort)

    def timeout_keep_alive_handler(self) -> None:
        """Nothing came for too long."""
        self.transport.abort()

    # Refusals.

    def _refuse(self, error: RefusalError) -> None:
        """Answers with `error`, where no answer has begun, and closes."""
        self._refusal = error
        self._forget(self._deadline)
        if self.transport.is_closing():
            return
        if self._phase is _Phase.HEAD and not self._received:
            # Nobody asked anything.
            self.transport.abort()
            return
        if self._may_answer():
            self.transport.write(raw_answer(error))
        self.transport.close()
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.loop.call_later(_LINGER_S, self.transport.abort)

    def _may_answer(self) -> bool:
        """Whether what is refused is what the next answer belongs to; never write into another one."""
        if self._phase is _Phase.BODY:
            return not (self.pipeline or self.cycle.response_started)
        return self._answered()

    def _answered(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or cycle.response_complete

    @staticmethod
    def _forget(*timers: asyncio.TimerHandle | None) -> None:
        for timer in timers:
            if timer is not None:
                timer.cancel()
