"""The ways by which a call reaches its service: a connection of gRPC, the process itself, or a shared wire."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final

import grpc

from mesh.channel import open_channel
from mesh.local import LocalChannel
from mesh.server import Service
from mesh.testing import Authority, until
from mesh.wire.wire_channel import WireChannel

WAYS: Final = ("network", "local", "wire")


def open_way(
    way: str, service: Service, address: str, authority: Authority
) -> AbstractAsyncContextManager[grpc.aio.Channel]:
    """A channel to `service`, which a server at `address` serves, too."""
    match way:
        case "local":
            return LocalChannel([service], authority.verifier)
        case "wire":
            return wired(address, authority)
        case _:
            return open_channel(address, audio=True)


@asynccontextmanager
async def wired(address: str, authority: Authority, wires: int = 1) -> AsyncIterator[WireChannel]:
    """A channel whose wires are there: calls made before go without."""
    plain = open_channel(address, audio=True)
    async with WireChannel(plain, lambda: authority.service_metadata("conversation"), wires=wires) as channel:
        await until(lambda: channel.wire() is not None)
        yield channel
