"""An echo service and its clients, over a socket and within the process."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import grpc
import pytest

from mesh.server import MeshServer
from mesh.testing import Authority, new_authority, serve
from tests.mesh_runtime.echo import EchoServicer, EchoStub, echo_service
from tests.mesh_runtime.ways import WAYS, open_way


@dataclass(frozen=True, slots=True)
class EchoMesh:
    """What a test of a call needs. `server` serves the same service, whichever channel the stub uses."""

    stub: EchoStub
    servicer: EchoServicer
    authority: Authority
    server: MeshServer
    channel: grpc.aio.Channel


@pytest.fixture(params=WAYS)
async def mesh(request: pytest.FixtureRequest) -> AsyncIterator[EchoMesh]:
    authority, servicer = new_authority(), EchoServicer()
    service = echo_service(servicer)
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(serve([service], authority))
        channel = await stack.enter_async_context(open_way(request.param, service, server.address, authority))
        yield EchoMesh(EchoStub(channel), servicer, authority, server, channel)
