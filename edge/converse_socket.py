"""The talking socket `/v1/converse`: carries the messages of Converse between a WebSocket and the mesh."""

import asyncio
from dataclasses import dataclass
from typing import Final

from starlette.websockets import WebSocket, WebSocketDisconnect
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
from edge.sockets import (
    INBOX,
    OUTBOX,
    ConverseStream,
    Crowd,
    Gone,
    close,
    ended_because,
    receive,
    send,
    until_one_ends,
)
from edge.uplink import Uplink, open_uplink
from mesh.channel import call_metadata
from mesh.clock import Clock
from mesh.errors import TimedOutError, UnauthenticatedError, VivavoceError
from mesh.peers import Peers
from mesh.streams import client_stream
from mesh.telemetry import begin_call
from mesh.tokens import TokenVerifier

_METHOD: Final = "/vivavoce.conversation.v1.ConversationService/Converse"
_DEFAULT_RATE_HZ: Final = 16_000


@dataclass(slots=True)
class _Seen:
    """What a socket remembers of its session."""

    form: frames.Form = frames.Form.TEXT
    last: service_pb.ConverseResponse | None = None


class ConverseSockets:
    """Serves `/v1/converse`."""

    def __init__(
        self,
        *,
        settings: Settings,
        peers: Peers,
        verifier: TokenVerifier,
        origins: Origins,
        crowd: Crowd,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._origins = origins
        self._peers = peers
        self._verifier = verifier
        self._clock = clock
        self._crowd = crowd

    async def serve(self, socket: WebSocket) -> None:
        """One socket from its handshake to its end; nothing of it runs on afterwards."""
        span = begin_call(_METHOD, dict(socket.headers))
        try:
            with self._crowd.joined():
                await self._serve(socket)
        finally:
            span.end()

    async def _serve(self, socket: WebSocket) -> None:
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

    async def _admit(self, socket: WebSocket) -> str:
        """The verified token, or an empty one where it comes by the first message."""
        self._origins.check(socket.headers)
        refuse_secrets_in_url(socket.query_params)
        self._crowd.check()
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
        except Gone:
            return
        except VivavoceError as error:
            await close(socket, error.reason, frames.write(failures.error_event(error), seen.form))
        else:
            await close(socket, ended_because(seen.last))

    async def _sign_in(self, socket: WebSocket) -> str:
        try:
            async with asyncio.timeout(self._settings.sign_in_within_s):
                frame = await receive(socket)
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
                frame = await receive(socket)
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
            client_stream(stub.Converse, metadata=metadata, inbox=INBOX, outbox=OUTBOX) as stream,
            open_uplink(stream, rate) as uplink,
        ):
            await uplink.put(first)
            await until_one_ends(_carry_down(socket, stream, seen), _carry_up(socket, uplink, pace))


async def _carry_down(socket: WebSocket, stream: ConverseStream, seen: _Seen) -> None:
    """Carries the mesh's messages until the stream ends."""
    async for message in stream:
        seen.last = message
        await send(socket, frames.write(message, seen.form))


async def _carry_up(socket: WebSocket, uplink: Uplink, pace: Pace) -> None:
    """Carries the client's messages until it says goodbye.

    Raises:
        Gone: it vanished.
        RateLimitedError: it sent too many.
    """
    while True:
        frame = await socket.receive()
        if frame["type"] == "websocket.disconnect":
            if frame.get("code") != failures.NORMAL:
                raise Gone
            # A client may end its session and leave at once: what it said still counts.
            await uplink.emptied()
            return
        pace.count()
        await uplink.put(frames.read(frame))
