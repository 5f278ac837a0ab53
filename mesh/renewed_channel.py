"""A channel whose certificate follows its file: gRPC itself reads it once, when a channel is opened."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, Self, TypeAlias

import grpc

from mesh.tls import Tls, Version

#: How long calls made under an earlier certificate may go on: longer than any session.
_LET_GO_S: Final = 7_200.0

#: A callable of grpc.aio, of whichever arity the method has.
_Callable: TypeAlias = Any


class RenewedChannel(grpc.aio.Channel):
    """Stands in for a gRPC channel: give it to a stub. Use as `async with`.

    A call made after the files changed goes over a new connection. Calls that are open stay where they are.
    `open_fresh` opens a channel with the files as they are.
    """

    def __init__(self, tls: Tls, open_fresh: Callable[[], grpc.aio.Channel]) -> None:
        self._tls = tls
        self._open_fresh = open_fresh
        self._version: Version = tls.version()
        self._channel = open_fresh()
        self._letting_go: set[asyncio.Task[None]] = set()

    def current(self) -> grpc.aio.Channel:
        """The channel for calls made now."""
        try:
            version = self._tls.version()
        except FileNotFoundError:
            # Caught between two renames; the next call sees both files.
            return self._channel
        if version != self._version:
            old, self._channel, self._version = self._channel, self._open_fresh(), version
            task = asyncio.get_running_loop().create_task(old.close(_LET_GO_S), name="old channel")
            self._letting_go.add(task)
            task.add_done_callback(self._letting_go.discard)
        return self._channel

    async def __aenter__(self) -> Self:
        """Connects with the first call."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Cancels the calls still open."""
        await self.close()

    async def close(self, grace: float | None = None) -> None:
        """Gives open calls `grace` seconds to end, and closes; those of earlier certificates are cancelled."""
        for task in self._letting_go:
            task.cancel()
        await asyncio.gather(self._channel.close(grace), *self._letting_go, return_exceptions=True)

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        """The state of the channel for calls made now."""
        return self.current().get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        """Waits for a change of the channel for calls made now."""
        await self.current().wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        """Waits until the channel for calls made now is connected."""
        await self.current().channel_ready()

    def unary_unary(self, method: str, *form: Any, **more: Any) -> _Callable:  # noqa: ANN401 (passed on as it is)
        """What a stub calls for an RPC with one request and one response."""
        return lambda *call, **options: self.current().unary_unary(method, *form, **more)(*call, **options)

    def unary_stream(self, method: str, *form: Any, **more: Any) -> _Callable:  # noqa: ANN401 (as above)
        """As `unary_unary`, with many responses."""
        return lambda *call, **options: self.current().unary_stream(method, *form, **more)(*call, **options)

    def stream_unary(self, method: str, *form: Any, **more: Any) -> _Callable:  # noqa: ANN401 (as above)
        """As `unary_unary`, with many requests."""
        return lambda *call, **options: self.current().stream_unary(method, *form, **more)(*call, **options)

    def stream_stream(self, method: str, *form: Any, **more: Any) -> _Callable:  # noqa: ANN401 (as above)
        """As `unary_unary`, with many of both."""
        return lambda *call, **options: self.current().stream_stream(method, *form, **more)(*call, **options)
