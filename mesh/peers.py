"""Where the other services are, and how a service proves itself to them."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Final, Self

import grpc

from mesh.channel import call_metadata, is_balanced, open_channel
from mesh.errors import PreconditionError
from mesh.origin import FORWARDED_FOR, VOUCHER
from mesh.tls import Tls, host_name
from mesh.tokens import ServiceTokens
from mesh.wire.wire_channel import WireChannel

#: Full proto name of each service, by its folder's name.
SERVICE_NAMES: Final = {
    "user": "vivavoce.user.v1.UserService",
    "conversation": "vivavoce.conversation.v1.ConversationService",
    "ai_engine": "vivavoce.ai_engine.v1.AiEngineService",
    "history": "vivavoce.history.v1.HistoryService",
    "media": "vivavoce.media.v1.MediaService",
}
#: Wires to a service that may have several servers: each is to one of them.
_WIRES: Final = 4


class Peers:
    """The other services of the mesh, for the length of an `async with` block, which owns the channels.

    `addresses` maps a service's folder name to its gRPC address. `channels` replaces the network for services that
    live in this process. A service proves itself by its certificate where `tls` is given, by its tokens elsewhere.
    """

    def __init__(
        self,
        addresses: Mapping[str, str],
        tokens: ServiceTokens | None,
        *,
        channels: Mapping[str, grpc.aio.Channel] | None = None,
        tls: Tls | None = None,
    ) -> None:
        self._addresses = addresses
        self._tokens = tokens
        self._tls = tls
        self._open: dict[tuple[str, bool], grpc.aio.Channel] = {}
        self._given = dict(channels or {})
        self._exits = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Opens nothing yet: a channel is opened when it is first asked for."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes the channels."""
        await self._exits.aclose()

    def channel(self, service: str, *, audio: bool = False) -> grpc.aio.Channel:
        """The channel to a service; with `audio` its streams share a wire, and the other side sends little ahead.

        Raises:
            PreconditionError: nobody told where the service is.
        """
        if given := self._given.get(service):
            return given
        try:
            address = self._addresses[service]
        except KeyError:
            raise PreconditionError(
                f"No address is set for the {service} service; set VIVAVOCE_PEERS_{service.upper()}.",
                reason="SERVICE_UNAVAILABLE",
            ) from None
        if (service, audio) not in self._open:
            channel = open_channel(
                address, tls=self._tls, host=host_name(service), audio=audio, services=[SERVICE_NAMES[service]]
            )
            if audio:
                channel = WireChannel(channel, self.metadata, wires=_WIRES if is_balanced(address) else 1)
            self._exits.push_async_callback(channel.close)
            self._open[service, audio] = channel
        return self._open[service, audio]

    def metadata(self) -> tuple[tuple[str, str], ...]:
        """Metadata of a call made in this service's own name."""
        return call_metadata(self._tokens.current() if self._tokens else "")

    def on_behalf_of(self, address: str) -> tuple[tuple[str, str], ...]:
        """Metadata that says, and proves where no certificate does, that a call is passed on for a client there."""
        voucher = ((VOUCHER, self._tokens.current()),) if self._tokens else ()
        return ((FORWARDED_FOR, address), *voucher)
