"""Where a call's client is, and who is believed about it."""

import pytest

from mesh.origin import FORWARDED_FOR, VOUCHER
from mesh.peers import Peers
from mesh.testing import new_authority
from mesh.tokens import ServiceTokens
from tests.mesh_runtime.conftest import EchoMesh
from tests.mesh_runtime.echo import new_echo


async def _whence(mesh: EchoMesh, *metadata: tuple[str, str]) -> str:
    text: str = (await mesh.stub.SayWhence(new_echo(), metadata=metadata)).text
    return text


async def test_the_edge_is_believed_about_its_client(mesh: EchoMesh) -> None:
    peers = Peers({}, ServiceTokens(mesh.authority.signer, "edge"))
    assert await _whence(mesh, *peers.on_behalf_of("203.0.113.9")) == "203.0.113.9"
    assert await _whence(mesh, *peers.on_behalf_of("2001:db8::1")) == "2001:db8::1"


async def test_nobody_else_is_believed_about_another(mesh: EchoMesh) -> None:
    here = await _whence(mesh)
    assert here in ("127.0.0.1", "")
    told = (FORWARDED_FOR, "203.0.113.9")
    assert await _whence(mesh, told) == here
    for voucher in (
        mesh.authority.service_token("conversation"),
        mesh.authority.user_token(),
        new_authority().service_token("edge"),
        "edge",
        "",
    ):
        assert await _whence(mesh, told, (VOUCHER, voucher)) == here


@pytest.mark.parametrize("mesh", ["network"], indirect=True)
async def test_without_an_edge_it_is_the_other_end_of_the_connection(mesh: EchoMesh) -> None:
    assert await _whence(mesh) == "127.0.0.1"
