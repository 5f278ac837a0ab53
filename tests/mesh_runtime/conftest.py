"""An echo service on a real server, and its clients."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from mesh.channel import open_channel
from mesh.server import MeshServer
from mesh.testing import Authority, new_authority, serve
from tests.mesh_runtime.echo import EchoServicer, EchoStub, echo_service


@dataclass(frozen=True, slots=True)
class EchoMesh:
    """What a test of a call needs."""

    stub: EchoStub
    servicer: EchoServicer
    authority: Authority
    server: MeshServer


@pytest.fixture
async def mesh() -> AsyncIterator[EchoMesh]:
    authority, servicer = new_authority(), EchoServicer()
    async with (
        serve([echo_service(servicer)], authority) as server,
        open_channel(server.address, audio=True) as channel,
    ):
        yield EchoMesh(EchoStub(channel), servicer, authority, server)
