"""The socket `/v1/realtime`: carries events between a client of the dialect and the codec, and requests to Converse."""

import asyncio
import json
import secrets
from collections.abc import Sequence
from typing import Final

from starlette.types import Message
from starlette.websockets import WebSocket, WebSocketDisconnect
from vivavoce.conversation.v1 import conversation_service_pb2 as service_pb
from vivavoce.conversation.v1 import conversation_service_pb2_grpc as conversation_grpc

from edge import failures
from edge.denials import deny
from edge.pace import Pace
from edge.realtime.admission import SUBPROTOCOL, Admission, Admitted
from edge.realtime.codec import Codec, Said
from edge.realtime.response import Event
from edge.realtime.sound_pace import SoundPace
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
from mesh import access_keys
from mesh.channel import call_metadata
from mesh.clock import Clock
from mesh.errors import VivavoceError
from mesh.peers import Peers
from mesh.streams import client_stream
from mesh.telemetry import begin_call

_METHOD: Final = "/v1/realtime"
_TICK_S: Final = 0.1
#: Clients say at once what they want of their session; one that says nothing for so long wants what it was given.
_SETTLED_S: Final = 2.0


class RealtimeSockets:
    """Serves `/v1/realtime`."""

    def __init__(self, *, settings: Settings, peers: Peers, admission: Admission, crowd: Crowd, clock: Clock) -> None:
        self._settings = settings
        self._peers = peers
        self._admission = admission
        self._crowd = crowd
        self._clock = clock

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
            self._crowd.check()
            admitted = await self._admission.admit(socket)
            await socket.accept(SUBPROTOCOL if SUBPROTOCOL in socket.scope["subprotocols"] else None)
        except VivavoceError as error:
            await deny(error, socket.scope, socket.receive, socket.send)
        except WebSocketDisconnect:
            # It left while its token was looked at.
            return
        else:
            await self._talk(socket, admitted)

    async def _talk(self, socket: WebSocket, admitted: Admitted) -> None:
        key = admitted.token if admitted.token.startswith(access_keys.PREFIX) else ""
        session_id = f"sess_{secrets.token_hex(12)}"
        codec = Codec(session_id, admitted.chosen, admitted.opening, admitted.client, key)
        pace = Pace(self._settings.messages_per_s, self._clock)
        try:
            first = await self._first(socket, codec, pace)
            line = _Line(socket, codec, self._clock)
            await self._relay(socket, admitted.token, first, line, pace)
        except Gone:
            return
        except VivavoceError as error:
            await close(socket, error.reason, _frame(_fatal(error)))
        else:
            await close(socket, ended_because(line.last))

    async def _first(self, socket: WebSocket, codec: Codec, pace: Pace) -> Said:
        """What begins the session: until then nothing of it exists but what the client chooses."""
        said = codec.greet()
        settled_at = self._clock.now() + _SETTLED_S
        while not said[0]:
            for event in said[1]:
                await send(socket, _frame(event))
            try:
                async with asyncio.timeout(settled_at - self._clock.now()):
                    frame = await receive(socket)
            except TimeoutError:
                return codec.begin()
            pace.count()
            said = codec.receive(_text_of(frame), self._clock.now())
        return said

    async def _relay(self, socket: WebSocket, token: str, first: Said, line: "_Line", pace: Pace) -> None:
        stub = conversation_grpc.ConversationServiceStub(self._peers.channel("conversation", audio=True))
        metadata = (*call_metadata(token), *peer_metadata(socket))
        async with (
            client_stream(stub.Converse, metadata=metadata, inbox=INBOX, outbox=OUTBOX) as stream,
            open_uplink(stream, line.input_hz) as uplink,
        ):
            line.connect(uplink)
            await line.say(first)
            await until_one_ends(line.carry_down(stream), line.carry_up(pace), line.keep_time())


class _Line:
    """One session on its way. Whoever speaks first is heard first, in either direction."""

    def __init__(self, socket: WebSocket, codec: Codec, clock: Clock) -> None:
        self._socket = socket
        self._codec = codec
        self._clock = clock
        self.last: service_pb.ConverseResponse | None = None
        self._uplink: Uplink | None = None
        self._sound_pace = SoundPace(codec.input_hz, clock)
        # A lock lets in whoever came first, and none of the codec's answers is waited for before it is taken.
        self._telling, self._asking = asyncio.Lock(), asyncio.Lock()

    @property
    def input_hz(self) -> int:
        """Rate of the learner's sound."""
        return self._codec.input_hz

    def connect(self, uplink: Uplink) -> None:
        """From now on requests have a way."""
        self._uplink = uplink

    async def say(self, said: Said) -> None:
        """Sends what the codec says, to either side."""
        requests, events = said
        if events:
            async with self._telling:
                for event in events:
                    await send(self._socket, _frame(event))
        if requests:
            async with self._asking:
                await self._ask(requests)

    async def carry_down(self, stream: ConverseStream) -> None:
        """Carries what Converse tells, until the stream ends."""
        async for message in stream:
            self.last = message
            await self.say(self._codec.hear(message, self._clock.now()))

    async def carry_up(self, pace: Pace) -> None:
        """Carries what the client says, until it says goodbye.

        Raises:
            Gone: it vanished.
            RateLimitedError: it sent too many.
        """
        while True:
            frame = await self._socket.receive()
            if frame["type"] == "websocket.disconnect":
                if frame.get("code") != failures.NORMAL:
                    raise Gone
                assert self._uplink is not None, "connected before it carries"
                # A client may leave at once: what it said still counts.
                await self._uplink.emptied()
                return
            pace.count()
            await self.say(self._codec.receive(_text_of(frame), self._clock.now()))

    async def keep_time(self) -> None:
        """Lets the codec know that time passes, until it is cancelled."""
        while True:
            await self._clock.sleep(_TICK_S)
            await self.say(self._codec.tick(self._clock.now()))

    async def _ask(self, requests: Sequence[service_pb.ConverseRequest]) -> None:
        assert self._uplink is not None, "connected before it speaks"
        for request in requests:
            if request.HasField("append_audio"):
                await self._sound_pace.wait(request.append_audio.pcm)
            await self._uplink.put(request)


def _frame(event: Event) -> Message:
    return {"type": "websocket.send", "text": json.dumps(event, ensure_ascii=False)}


def _text_of(frame: Message) -> str | bytes:
    text: str | bytes = frame["text"] if frame.get("text") is not None else frame["bytes"]
    return text


def _fatal(error: VivavoceError) -> Event:
    """`error` as the last event of a socket."""
    kind = "invalid_request_error" if failures.http_status(error) < 500 else "server_error"
    body = {"type": kind, "code": error.reason.lower(), "message": error.message}
    return {
        "type": "error",
        "event_id": "event_last",
        "error": {**body, "param": error.field or None, "event_id": None},
    }
