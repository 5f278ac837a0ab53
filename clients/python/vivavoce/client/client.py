"""The way in: a channel to a server, a person, and the conversations they hold."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import grpc

from vivavoce.client.access import Access
from vivavoce.client.conversation import Conversation, Loudspeaker
from vivavoce.client.errors import ClientError, of_call
from vivavoce.client.jitter import JitterBuffer
from vivavoce.client.lasting import lasting
from vivavoce.client.wire import open_wire
from vivavoce.conversation.v1 import conversation_pb2 as settings_pb
from vivavoce.conversation.v1 import conversation_service_pb2 as service_pb
from vivavoce.conversation.v1 import converse_pb2 as converse_pb
from vivavoce.type.v1 import audio_pb2 as audio_pb

A = TypeVar("A")

_NAME: Final = "vivavoce python"
_CALL_S: Final = 10.0
_INPUT_HZ: Final = 16_000
_OUTPUT_HZ: Final = 24_000
#: Largest message: a page of history.
_MAX_BYTES: Final = 4 * 1024 * 1024
_OPTIONS: Final = [
    ("grpc.max_receive_message_length", _MAX_BYTES),
    ("grpc.keepalive_time_ms", 25_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
]


class Client:
    """A client of the server at `address`, host:port, for the length of an `async with` block.

    With a `token` it calls in that person's name, with none as a new guest, unless it logs in. With `tls` the server is
    checked against the roots of the machine, or those given as PEM.
    """

    def __init__(self, address: str, *, token: str = "", tls: bool | bytes = False, name: str = _NAME) -> None:
        self._address = address
        self._token = token
        self._tls = tls
        self._name = name
        self._access: Access | None = None
        self.channel: grpc.aio.Channel

    async def __aenter__(self) -> Self:
        """Opens nothing yet: the channel connects with the first call."""
        if self._tls is False:
            self.channel = grpc.aio.insecure_channel(self._address, options=_OPTIONS)
        else:
            credentials = grpc.ssl_channel_credentials(self._tls if isinstance(self._tls, bytes) else None)
            self.channel = grpc.aio.secure_channel(self._address, credentials, options=_OPTIONS)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes the channel."""
        await self.channel.close()

    async def log_in(self, email: str, password: str) -> None:
        """Calls in the name of a person with an account from now on.

        Raises:
            ClientError: BAD_CREDENTIALS, or why else not.
        """
        self._access = await Access.of_login(self.channel, email, password, self._name)

    async def access(self) -> Access:
        """Who calls: who logged in, whose token was given, or else a new guest."""
        if self._access is None:
            given = bool(self._token)
            self._access = (
                Access(self.channel, self._token) if given else await Access.of_guest(self.channel, self._name)
            )
        return self._access

    async def call(self, method: Callable[..., Awaitable[A]], request: Any) -> A:  # noqa: ANN401 (any of the contract's)
        """The answer of a unary RPC, such as `UserServiceStub(client.channel).GetUser`; renews the token if need be.

        Raises:
            ClientError: what the server answered instead.
        """
        access = await self.access()
        try:
            return await self._call(method, request, access)
        except ClientError as error:
            if error.reason != "TOKEN_INVALID":
                raise
        await access.renew()
        return await self._call(method, request, access)

    async def _call(self, method: Callable[..., Awaitable[A]], request: Any, access: Access) -> A:  # noqa: ANN401
        try:
            return await method(request, metadata=access.metadata, timeout=_CALL_S)
        except grpc.aio.AioRpcError as error:
            raise of_call(error) from error

    @asynccontextmanager
    async def conversation(
        self,
        settings: settings_pb.ConversationSettings | None = None,
        *,
        conversation_id: str = "",
        input_hz: int = _INPUT_HZ,
        loudspeaker: Loudspeaker | None = None,
    ) -> AsyncIterator[Conversation]:
        """A new conversation, or an earlier one by its id, for the length of the block.

        Without `loudspeaker` replies go into a `JitterBuffer` at 24 kHz, from which the program pulls.

        Raises:
            ClientError: the server refuses it, or can't be reached.
        """
        access = await self.access()
        start = converse_pb.StartSession(client=self._name, input_audio=_pcm(input_hz), output_audio=_pcm(_OUTPUT_HZ))
        if conversation_id:
            start.conversation_id = conversation_id
        else:
            start.new_conversation.CopyFrom(settings or settings_pb.ConversationSettings())
        async with lasting(lambda: open_wire(self.channel, access.token), access.renew) as wire:
            held = Conversation(wire, loudspeaker or JitterBuffer(_OUTPUT_HZ), access.renew)
            await wire.send(service_pb.ConverseRequest(start_session=start))
            running = asyncio.create_task(held.run(), name="conversation")
            try:
                await held.opened()
                yield held
            finally:
                running.cancel()
                await asyncio.wait([running])


def _pcm(rate_hz: int) -> audio_pb.AudioFormat:
    return audio_pb.AudioFormat(encoding=audio_pb.AUDIO_ENCODING_PCM_S16LE, sample_rate_hz=rate_hz)
