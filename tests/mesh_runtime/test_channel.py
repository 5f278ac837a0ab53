"""Channels: balancing, repeating, TLS."""

import asyncio
import datetime
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from ipaddress import ip_address
from pathlib import Path

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from mesh.channel import open_channel
from mesh.errors import UnavailableError
from mesh.server import MeshServer
from mesh.testing import new_authority, serve
from mesh.tls import Tls
from mesh.wire_errors import from_rpc_error
from tests.mesh_runtime.echo import NAME, EchoServicer, EchoStub, echo_service, new_echo


class Counting(EchoServicer):
    """Counts its answers, and fails the first few."""

    def __init__(self, failing: int = 0) -> None:
        super().__init__()
        self.answers = 0
        self._failing = failing

    async def say(self, request: object, _: object) -> object:
        self.answers += 1
        if self.answers <= self._failing:
            raise UnavailableError("The kettle is cold; try again.")
        return request


@pytest.fixture
async def two_servers() -> AsyncIterator[tuple[list[Counting], list[MeshServer]]]:
    servicers = [Counting(), Counting()]
    async with AsyncExitStack() as stack:
        servers = [
            await stack.enter_async_context(serve([echo_service(servicer)], new_authority(), notice_s=0.1))
            for servicer in servicers
        ]
        yield servicers, servers


def several(servers: list[MeshServer]) -> str:
    return "ipv4:" + ",".join(server.address for server in servers)


async def test_several_addresses_are_taken_in_turn(two_servers: tuple[list[Counting], list[MeshServer]]) -> None:
    servicers, servers = two_servers
    async with open_channel(several(servers)) as channel:
        stub = EchoStub(channel)
        while not all(servicer.answers for servicer in servicers):
            await stub.Say(new_echo(), timeout=5)
        for servicer in servicers:
            servicer.answers = 0
        for _ in range(20):
            await stub.Say(new_echo(), timeout=5)
    assert [servicer.answers for servicer in servicers] == [10, 10]


async def test_a_server_that_drains_is_left_out_and_no_call_fails(
    two_servers: tuple[list[Counting], list[MeshServer]],
) -> None:
    servicers, servers = two_servers
    async with open_channel(several(servers), services=[NAME]) as channel:
        stub = EchoStub(channel)
        while not all(servicer.answers for servicer in servicers):
            await stub.Say(new_echo(), timeout=5)
        draining = asyncio.create_task(servers[0].drain())
        for _ in range(50):
            await stub.Say(new_echo(), timeout=5)
        await draining
        before = servicers[0].answers
        for _ in range(10):
            await stub.Say(new_echo(), timeout=5)
    assert servicers[0].answers == before


async def test_a_repeatable_call_is_repeated_when_unavailable() -> None:
    servicer = Counting(failing=2)
    async with (
        serve([echo_service(servicer)], new_authority()) as server,
        open_channel(server.address, services=[NAME]) as channel,
    ):
        assert (await EchoStub(channel).Say(new_echo(number=4), timeout=5)).number == 4
    assert servicer.answers == 3


async def test_a_call_the_contract_does_not_call_repeatable_is_sent_once() -> None:
    servicer = Counting(failing=2)
    async with (
        serve([echo_service(servicer)], new_authority()) as server,
        open_channel(server.address, services=[NAME]) as channel,
    ):
        with pytest.raises(grpc.aio.AioRpcError):
            await EchoStub(channel).Planned(new_echo(), timeout=5)
        say_without_policy = open_channel(server.address)
        async with say_without_policy:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await EchoStub(say_without_policy).Say(new_echo(), timeout=5)
        assert isinstance(from_rpc_error(caught.value), UnavailableError)
    assert servicer.answers == 1


async def test_a_service_that_is_away_is_unavailable_at_once() -> None:
    async with open_channel("127.0.0.1:1") as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await EchoStub(channel).Say(new_echo(), timeout=5)
    error = from_rpc_error(caught.value)
    assert isinstance(error, UnavailableError)
    assert error.reason == "SERVICE_UNAVAILABLE"


@pytest.mark.parametrize("mutual", [False, True])
async def test_a_call_over_tls_arrives(tmp_path: Path, mutual: bool) -> None:
    tls = Authority(tmp_path).issue(mutual=mutual)
    async with (
        MeshServer([echo_service(EchoServicer())], new_authority().verifier, tls=tls, notice_s=0) as server,
        open_channel(server.address, tls=tls) as channel,
    ):
        assert (await EchoStub(channel).Say(new_echo(number=4), timeout=5)).number == 4


async def test_a_client_without_a_certificate_is_not_let_in(tmp_path: Path) -> None:
    ours, plain = Authority(tmp_path).issue(mutual=True), Tls(Path(), Path(), tmp_path / "ca.pem", mutual=False)
    async with (
        MeshServer([echo_service(EchoServicer())], new_authority().verifier, tls=ours, notice_s=0) as server,
        open_channel(server.address, tls=plain) as channel,
    ):
        with pytest.raises(grpc.aio.AioRpcError):
            await EchoStub(channel).Say(new_echo(), timeout=2)


async def test_a_new_certificate_is_served_without_a_restart(tmp_path: Path) -> None:
    old = Authority(tmp_path)
    tls = old.issue(mutual=False)
    async with MeshServer([echo_service(EchoServicer())], new_authority().verifier, tls=tls, notice_s=0) as server:
        new = Authority(tmp_path)
        new.issue(mutual=False)  # The same files, from an authority that only new channels trust.
        async with open_channel(server.address, tls=tls) as channel:
            assert (await EchoStub(channel).Say(new_echo(number=4), timeout=5)).number == 4


class Authority:
    """Signs one certificate for 127.0.0.1 with a key of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")])
        self._write("ca.pem", self._sign(self._name, self._key, authority=True))

    def issue(self, *, mutual: bool) -> Tls:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "conversation")])
        self._write("tls.pem", self._sign(name, key, authority=False))
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (self._folder / "tls.key").write_bytes(private)
        return Tls(self._folder / "tls.pem", self._folder / "tls.key", self._folder / "ca.pem", mutual=mutual)

    def _sign(self, name: x509.Name, key: ec.EllipticCurvePrivateKey, *, authority: bool) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(minutes=1))
            .not_valid_after(now + datetime.timedelta(hours=1))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
            .sign(self._key, hashes.SHA256())
        )

    def _write(self, name: str, certificate: x509.Certificate) -> None:
        (self._folder / name).write_bytes(certificate.public_bytes(Encoding.PEM))
