"""An echo service and its clients, over a socket and within the process."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import grpc
import pytest

from mesh.channel import open_channel
from mesh.local import LocalChannel
from mesh.server import MeshServer
from mesh.testing import Authority, new_authority, serve, until
from mesh.wire.wire_channel import WireChannel
from tests.mesh_runtime.echo import EchoServicer, EchoStub, echo_service


@dataclass(frozen=True, slots=True)
class EchoMesh:
    """What a test of a call needs. `server` serves the same service, whichever channel the stub uses."""

    stub: EchoStub
    servicer: EchoServicer
    authority: Authority
    server: MeshServer
    channel: grpc.aio.Channel


@pytest.fixture(params=["network", "local", "wire"])
async def mesh(request: pytest.FixtureRequest) -> AsyncIterator[EchoMesh]:
    authority, servicer = new_authority(), EchoServicer()
    service = echo_service(servicer)
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(serve([service], authority))
        channel: grpc.aio.Channel = (
            LocalChannel([service], authority.verifier)
            if request.param == "local"
            else open_channel(server.address, audio=True)
        )
        if request.param == "wire":
            channel = WireChannel(channel, lambda: authority.service_metadata("conversation"), wires=1)
        await stack.enter_async_context(channel)
        if isinstance(channel, WireChannel):
            # Calls made before it is there go without it.
            await until(lambda: channel.wire() is not None)
        yield EchoMesh(EchoStub(channel), servicer, authority, server, channel)
