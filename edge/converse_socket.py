"""The talking socket `/v1/converse`: carries the messages of Converse between a WebSocket and the mesh."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from starlette.types import Message
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState
from vivavoce.conversation.v1 import conversation_service_pb2 as service_pb
from vivavoce.conversation.v1 import conversation_service_pb2_grpc as conversation_grpc

from edge import failures, frames
from edge.credentials import (
    SUBPROTOCOL,
    redeemed,
    refuse_secrets_in_url,
    ticket_of,
    token_of_header,
    token_of_message,
    verified,
)
from edge.denials import deny
from edge.origins import Origins
from edge.pace import Pace
from edge.security import peer_metadata
from edge.settings import Settings
from edge.socket_protocol import SocketProtocol
from edge.uplink import Uplink, open_uplink
from mesh.channel import call_metadata
from mesh.clock import Clock
from mesh.errors import ExhaustedError, OverloadedError, TimedOutError, UnauthenticatedError, VivavoceError
from mesh.peers import Peers
from mesh.streams import DuplexStream, client_stream
from mesh.telemetry import begin_call
from mesh.tokens import TokenVerifier

ConverseStream = DuplexStream[service_pb.ConverseRequest, service_pb.ConverseResponse]

_METHOD: Final = "/vivavoce.conversation.v1.ConversationService/Converse"
#: Messages from the mesh that wait for the socket. Full: the mesh is held back.
_INBOX: Final = 32
#: One on its way, one behind it; what comes then is joined by the uplink.
_OUTBOX: Final = 1
_DEFAULT_RATE_HZ: Final = 16_000
_WATCH_EVERY_S: Final = 1.0


class _Gone(Exception):  # noqa: N818 (a state, not a fault)
    """The client has vanished."""


@dataclass(slots=True)
class _Seen:
    """What a socket remembers of its session."""

    form: frames.Form = frames.Form.TEXT
    last: service_pb.ConverseResponse | None = None
    sending_since: float | None = None


class ConverseSockets:
    """Serves `/v1/converse`. Counts the open sockets, so that there are no more than the settings allow."""

    def __init__(
        self, *, settings: Settings, peers: Peers, verifier: TokenVerifier, origins: Origins, clock: Clock
    ) -> None:
        self._settings = settings
        self._origins = origins
        self._peers = peers
        self._verifier = verifier
        self._clock = clock
        self._open = 0

    async def serve(self, socket: WebSocket) -> None:
        """One socket from its handshake to its end; nothing of it runs on afterwards."""
        span = begin_call(_METHOD, dict(socket.headers))
        self._open += 1
        try:
            token = await self._admit(socket)
            await socket.accept(SUBPROTOCOL if SUBPROTOCOL in socket.scope["subprotocols"] else None)
        except VivavoceError as error:
            await deny(error, socket.scope, socket.receive, socket.send)
        except WebSocketDisconnect:
            # It left while its token was looked at.
            return
        else:
            await self._talk(socket, token)
        finally:
            self._open -= 1
            span.end()

    async def _admit(self, socket: WebSocket) -> str:
        """The verified token, or an empty one where it comes by the first message."""
        self._origins.check(socket.headers)
        refuse_secrets_in_url(socket.query_params)
        if self._open > self._settings.max_sockets:
            raise OverloadedError("All places to talk are taken; try again in a minute.")
        token = token_of_header(socket.headers)
        if not token and (ticket := ticket_of(socket.scope["subprotocols"])):
            token = await redeemed(ticket, socket.headers.get("origin", ""), self._peers)
        if token:
            await verified(token, self._verifier)
        return token

    async def _talk(self, socket: WebSocket, token: str) -> None:
        seen = _Seen()
        try:
            token = token or await self._sign_in(socket)
            first = await self._first(socket, seen)
            await self._relay(socket, token, first, seen)
        except _Gone:
            return
        except VivavoceError as error:
            await _close(socket, error.reason, frames.write(failures.error_event(error), seen.form))
        else:
            await _close(socket, _ended_because(seen.last))

    async def _sign_in(self, socket: WebSocket) -> str:
        try:
            async with asyncio.timeout(self._settings.sign_in_within_s):
                frame = await _receive(socket)
        except TimeoutError:
            raise UnauthenticatedError(
                "No access token came; send it with the handshake or as the first message.", reason="TOKEN_MISSING"
            ) from None
        token = token_of_message(frame.get("text") or "")
        await verified(token, self._verifier)
        return token

    async def _first(self, socket: WebSocket, seen: _Seen) -> service_pb.ConverseRequest:
        try:
            async with asyncio.timeout(self._settings.start_within_s):
                frame = await _receive(socket)
        except TimeoutError:
            raise TimedOutError("No first message came; send StartSession when you connect.", reason="IDLE") from None
        seen.form = frames.form_of(frame)
        return frames.read(frame)

    async def _relay(self, socket: WebSocket, token: str, first: service_pb.ConverseRequest, seen: _Seen) -> None:
        stub = conversation_grpc.ConversationServiceStub(self._peers.channel("conversation", audio=True))
        metadata = (*call_metadata(token), *peer_metadata(socket))
        pace = Pace(self._settings.messages_per_s, self._clock)
        rate = first.start_session.input_audio.sample_rate_hz or _DEFAULT_RATE_HZ
        async with (
            client_stream(stub.Converse, metadata=metadata, inbox=_INBOX, outbox=_OUTBOX) as stream,
            open_uplink(stream, rate) as uplink,
        ):
            await uplink.put(first)
            await _until_one_ends(
                _carry_down(socket, stream, seen, self._clock), _carry_up(socket, uplink, pace), self._watch(seen)
            )

    async def _watch(self, seen: _Seen) -> None:
        """Ends a session whose client does not read."""
        while True:
            await self._clock.sleep(_WATCH_EVERY_S)
            since = seen.sending_since
            if since is not None and self._clock.now() - since >= self._settings.stalled_after_s:
                raise ExhaustedError("The socket was not read for too long; read faster, or resume.", reason="TOO_SLOW")


async def _carry_down(socket: WebSocket, stream: ConverseStream, seen: _Seen, clock: Clock) -> None:
    """Carries the mesh's messages until the stream ends."""
    form = seen.form
    async for message in stream:
        seen.last = message
        seen.sending_since = clock.now()
        await _send(socket, frames.write(message, form))
        seen.sending_since = None


async def _carry_up(socket: WebSocket, uplink: Uplink, pace: Pace) -> None:
    """Carries the client's messages until it says goodbye.

    Raises:
        _Gone: it vanished.
        RateLimitedError: it sent too many.
    """
    while True:
        frame = await socket.receive()
        if frame["type"] == "websocket.disconnect":
            if frame.get("code") != failures.NORMAL:
                raise _Gone
            # A client may end its session and leave at once: what it said still counts.
            await uplink.emptied()
            return
        pace.count()
        await uplink.put(frames.read(frame))


async def _receive(socket: WebSocket) -> Message:
    frame = await socket.receive()
    if frame["type"] == "websocket.disconnect":
        raise _Gone
    return frame


async def _send(socket: WebSocket, frame: Message) -> None:
    try:
        await socket.send(frame)
    except WebSocketDisconnect:
        raise _Gone from None


async def _close(socket: WebSocket, reason: str, last_frame: Message | None = None) -> None:
    """Says why, and closes; also where the client does not read."""
    if socket.client_state is WebSocketState.DISCONNECTED:
        return
    _protocol(socket).let_through()
    with suppress(_Gone):
        if last_frame is not None:
            await _send(socket, last_frame)
        code = failures.close_code(reason) if reason else failures.NORMAL
        await _send(socket, {"type": "websocket.close", "code": code, "reason": reason})


def _protocol(socket: WebSocket) -> SocketProtocol:
    protocol: SocketProtocol = socket.scope["state"]["socket"]
    return protocol


def _ended_because(last: service_pb.ConverseResponse | None) -> str:
    """Why the session ended, empty where it was asked for."""
    if last is None or not last.session_ended.HasField("failure"):
        return ""
    return failures.reason_name(last.session_ended.failure.reason)


async def _until_one_ends(*parts: Coroutine[None, None, None]) -> None:
    """Runs the parts together; when one ends or fails the others are cancelled, and its failure is raised."""
    tasks = [asyncio.create_task(part) for part in parts]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        ended = [task for task in tasks if task.done()]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    for task in ended:
        task.result()
