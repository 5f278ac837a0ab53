"""TLS between services: who calls, who is called, and certificates that are renewed."""

import datetime
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import grpc
import pytest
from cryptography import x509

from mesh.certificates import issue, new_authority
from mesh.channel import open_channel
from mesh.errors import NotAllowedError, UnauthenticatedError, VivavoceError
from mesh.server import MeshServer
from mesh.testing import Authority
from mesh.testing import new_authority as new_token_authority
from mesh.tls import Tls, host_name, peer_service
from mesh.wire_errors import from_rpc_error
from tests.mesh_runtime.echo import EchoServicer, EchoStub, echo_service, new_echo

NOW = datetime.datetime.now(datetime.UTC)


class Installation:
    """A folder with an authority and the certificates it has issued."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._authority = new_authority(NOW, 30)
        (folder / "authority.pem").write_bytes(self._authority.certificate)

    def give(self, service: str) -> Tls:
        pair = issue(self._authority, service, NOW, 30)
        tls = Tls(self._folder / f"{service}.pem", self._folder / f"{service}.key", self._folder / "authority.pem")
        tls.certificate.write_bytes(pair.certificate)
        tls.key.write_bytes(pair.key)
        return tls


@dataclass(frozen=True, slots=True)
class Server:
    """An echo service that knows its callers by certificate."""

    address: str
    tokens: Authority

    @asynccontextmanager
    async def called_by(self, tls: Tls, expecting: str = "history") -> AsyncIterator[Any]:
        async with open_channel(self.address, tls=tls, host=host_name(expecting)) as channel:
            yield EchoStub(channel)

    async def failure(
        self, tls: Tls, method: str, metadata: tuple[tuple[str, str], ...] = (), expecting: str = "history"
    ) -> VivavoceError:
        async with self.called_by(tls, expecting) as stub:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await getattr(stub, method)(new_echo(), metadata=metadata, timeout=5)
        return from_rpc_error(caught.value)


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return Installation(tmp_path)


@pytest.fixture
async def server(installation: Installation) -> AsyncIterator[Server]:
    tokens = new_token_authority()
    async with MeshServer(
        [echo_service(EchoServicer())], tokens.verifier, tls=installation.give("history"), notice_s=0
    ) as running:
        yield Server(running.address, tokens)


async def test_a_service_is_known_by_its_certificate_alone(server: Server, installation: Installation) -> None:
    async with server.called_by(installation.give("conversation")) as stub:
        assert (await stub.SayInside(new_echo(), timeout=5)).text == "conversation"


async def test_a_service_the_call_is_not_meant_for_is_refused(server: Server, installation: Installation) -> None:
    assert isinstance(await server.failure(installation.give("media"), "SayInside"), NotAllowedError)


async def test_a_person_behind_a_service_can_not_make_an_internal_call(
    server: Server, installation: Installation
) -> None:
    person = server.tokens.user_metadata()
    assert isinstance(await server.failure(installation.give("conversation"), "SayInside", person), NotAllowedError)


async def test_a_person_calls_through_a_service_as_themselves(server: Server, installation: Installation) -> None:
    async with server.called_by(installation.give("edge")) as stub:
        answer = await stub.SayMine(new_echo(), metadata=server.tokens.user_metadata("usr_7"), timeout=5)
    assert answer.text == "usr_7"


async def test_a_certificate_does_not_make_a_service_a_person(server: Server, installation: Installation) -> None:
    assert isinstance(await server.failure(installation.give("edge"), "SayMine"), NotAllowedError)


async def test_a_token_of_another_service_than_the_certificate_is_refused(
    server: Server, installation: Installation
) -> None:
    borrowed = server.tokens.service_metadata("conversation")
    assert isinstance(await server.failure(installation.give("media"), "SayInside", borrowed), NotAllowedError)


async def test_a_bad_token_is_not_mended_by_a_certificate(server: Server, installation: Installation) -> None:
    forged = (("authorization", "Bearer forged"),)
    error = await server.failure(installation.give("conversation"), "SayInside", forged)
    assert isinstance(error, UnauthenticatedError)


async def test_a_caller_without_a_certificate_is_not_let_in(server: Server, installation: Installation) -> None:
    bare = replace(installation.give("conversation"), mutual=False)
    assert (await server.failure(bare, "Say")).reason == "SERVICE_UNAVAILABLE"


async def test_a_caller_of_another_installation_is_not_let_in(server: Server, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    stranger = Installation(elsewhere).give("conversation")
    trusting_us = replace(stranger, authority=tmp_path / "authority.pem")
    assert (await server.failure(trusting_us, "Say")).reason == "SERVICE_UNAVAILABLE"


async def test_a_server_that_is_another_service_is_not_called(server: Server, installation: Installation) -> None:
    error = await server.failure(installation.give("conversation"), "Say", expecting="user")
    assert error.reason == "SERVICE_UNAVAILABLE"


async def test_a_server_takes_up_its_new_certificate_without_a_restart(server: Server, tmp_path: Path) -> None:
    # The same files, of an authority that only new channels trust.
    renewed = Installation(tmp_path)
    renewed.give("history")
    async with server.called_by(renewed.give("conversation")) as stub:
        assert (await stub.SayInside(new_echo(), timeout=5)).text == "conversation"


async def test_a_caller_takes_up_its_new_certificate_without_a_restart(server: Server, tmp_path: Path) -> None:
    async with server.called_by(Installation(tmp_path).give("media")) as stub:
        renewed = Installation(tmp_path)
        renewed.give("history")
        renewed.give("media")
        assert (await stub.Say(new_echo(number=4), timeout=5)).number == 4


async def test_a_stream_lives_on_when_the_certificate_is_renewed(server: Server, installation: Installation) -> None:
    async with server.called_by(installation.give("conversation")) as stub:
        stream = stub.Talk(metadata=server.tokens.user_metadata())
        await stream.write(new_echo(number=1))
        assert (await stream.read()).number == 1
        installation.give("conversation")
        await stub.Say(new_echo(), timeout=5)
        await stream.write(new_echo(number=2))
        assert (await stream.read()).number == 2
        await stream.done_writing()


def test_a_certificate_never_outlives_its_authority() -> None:
    authority = new_authority(NOW, 10)
    assert issue(authority, "user", NOW, 90).ends_at() == authority.ends_at()


def test_a_certificate_of_a_service_can_not_sign_others() -> None:
    pair = issue(new_authority(NOW, 10), "user", NOW, 5)
    certificate = x509.load_pem_x509_certificate(pair.certificate)
    assert certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
    assert certificate.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign is False


@pytest.mark.parametrize("value", [b"", b"spiffe://elsewhere/user", b"https://vivavoce/user", b"\xff\xfe", b"user"])
def test_an_identity_of_another_form_is_nobody(value: bytes) -> None:
    assert peer_service({"peer_spiffe_id": [value]}) == ""
