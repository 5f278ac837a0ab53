"""What channels that stand before a gRPC channel have in common: what they don't do themselves it does."""

from abc import abstractmethod
from types import TracebackType
from typing import Any, Self, TypeAlias

import grpc

#: A callable of grpc.aio, of whichever arity the method has.
CallOf: TypeAlias = Any


class StandingChannel(grpc.aio.Channel):
    """Stands before the channel that `current` gives: give it to a stub. Use as `async with`; leaving closes it."""

    @abstractmethod
    def current(self) -> grpc.aio.Channel:
        """The channel for calls made now."""

    async def __aenter__(self) -> Self:
        """Connects with the first call."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends the calls still open."""
        await self.close()

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        """The state of the channel for calls made now."""
        return self.current().get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        """Waits for a change of the channel for calls made now."""
        await self.current().wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        """Waits until the channel for calls made now is connected."""
        await self.current().channel_ready()

    def unary_unary(self, method: str, *form: Any, **more: Any) -> CallOf:  # noqa: ANN401 (passed on as it is)
        """What a stub calls for an RPC with one request and one response."""
        return lambda *call, **options: self.current().unary_unary(method, *form, **more)(*call, **options)

    def unary_stream(self, method: str, *form: Any, **more: Any) -> CallOf:  # noqa: ANN401 (as above)
        """As `unary_unary`, with many responses."""
        return lambda *call, **options: self.current().unary_stream(method, *form, **more)(*call, **options)

    def stream_unary(self, method: str, *form: Any, **more: Any) -> CallOf:  # noqa: ANN401 (as above)
        """As `unary_unary`, with many requests."""
        return lambda *call, **options: self.current().stream_unary(method, *form, **more)(*call, **options)

    def stream_stream(self, method: str, *form: Any, **more: Any) -> CallOf:  # noqa: ANN401 (as above)
        """As `unary_unary`, with many of both."""
        return lambda *call, **options: self.current().stream_stream(method, *form, **more)(*call, **options)
