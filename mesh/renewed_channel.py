"""A channel whose certificate follows its file: gRPC itself reads it once, when a channel is opened."""

import asyncio
from collections.abc import Callable
from typing import Final

import grpc

from mesh.standing_channel import StandingChannel
from mesh.tls import Tls, Version

#: How long calls made under an earlier certificate may go on: longer than any session.
_LET_GO_S: Final = 7_200.0


class RenewedChannel(StandingChannel):
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

    async def close(self, grace: float | None = None) -> None:
        """Gives open calls `grace` seconds to end, and closes; those of earlier certificates are cancelled."""
        for task in self._letting_go:
            task.cancel()
        await asyncio.gather(self._channel.close(grace), *self._letting_go, return_exceptions=True)
