"""What another process knows of keys and login sessions: over the network, by real clocks, from the real service."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from vivavoce.type.v1 import access_pb2 as access_pb
from vivavoce.user.v1 import user_pb2 as user_pb
from vivavoce.user.v1 import user_service_pb2 as service_pb
from vivavoce.user.v1.user_service_pb2_grpc import UserServiceStub

from cli.identity import open_verifier
from cli.ports import free_port
from mesh.channel import call_metadata, open_channel
from mesh.clock import SystemClock
from mesh.errors import UnauthenticatedError, UnavailableError
from mesh.peers import Peers
from mesh.server import MeshServer, Service
from mesh.streams import client_stream
from mesh.testing import new_private_key_pem
from mesh.tokens import ServiceTokens, TokenSigner
from mesh.user_service import UserService
from services.user.app import open_service
from services.user.settings import Settings
from tests.mesh_runtime.echo import EchoServicer, EchoStub, echo_service, new_echo
from tests.services.calls import refused

if TYPE_CHECKING:
    from vivavoce.user.v1.user_service_pb2_grpc import UserServiceAsyncStub

#: What is promised.
WITHIN_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Town:
    """The user service, and a service of another process, as its people know them."""

    people: "UserServiceAsyncStub"
    people_server: MeshServer
    echo: EchoStub

    async def guest(self) -> user_pb.Tokens:
        return (await self.people.CreateGuest(service_pb.CreateGuestRequest())).tokens

    async def new_key(self, tokens: user_pb.Tokens) -> service_pb.CreateAccessKeyResponse:
        request = service_pb.CreateAccessKeyRequest(name="a program", scopes=[access_pb.SCOPE_TALK])
        return await self.people.CreateAccessKey(request, metadata=call_metadata(tokens.access_token))


@pytest.fixture
async def town(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Town]:
    clock, signer = SystemClock(), TokenSigner(new_private_key_pem(), "services")
    people_at = f"127.0.0.1:{free_port('127.0.0.1')}"
    async with AsyncExitStack() as stack:

        async def serve(name: str, service: Service, address: str = "127.0.0.1:0") -> MeshServer:
            """As a process of its own would: nothing is shared but the key that services sign with."""
            peers = await stack.enter_async_context(Peers({"user": people_at}, ServiceTokens(signer, name)))
            user_service = UserService(lambda: peers.channel("user"), peers.metadata)
            verifier = await stack.enter_async_context(open_verifier(signer, user_service, clock))
            server = MeshServer([service], verifier, address=address, drain_s=0.2, notice_s=0)
            return await stack.enter_async_context(server)

        nowhere = await stack.enter_async_context(Peers({}, ServiceTokens(signer, "user")))
        settings = Settings(data_dir=tmp_path / "data", database_url=sqlite_url)
        people = await serve("user", await stack.enter_async_context(open_service(settings, nowhere, clock)), people_at)
        elsewhere = await serve("history", echo_service(EchoServicer()))
        to_people = await stack.enter_async_context(open_channel(people.address))
        to_echo = await stack.enter_async_context(open_channel(elsewhere.address, audio=True))
        yield Town(UserServiceStub(to_people), people, EchoStub(to_echo))


async def test_a_key_works_elsewhere_and_is_refused_and_its_stream_closed_within_five_seconds_of_its_end(
    town: Town,
) -> None:
    tokens = await town.guest()
    made = await town.new_key(tokens)
    by_key = call_metadata(made.token)
    async with (
        client_stream(town.echo.Talk, metadata=by_key) as stream,
        client_stream(town.echo.Talk, metadata=call_metadata(tokens.access_token)) as other,
    ):
        await stream.send(new_echo(number=1))
        assert (await anext(stream)).number == 1
        request = service_pb.RevokeAccessKeyRequest(access_key_id=made.access_key.access_key_id)
        await town.people.RevokeAccessKey(request, metadata=call_metadata(tokens.access_token))
        revoked_at = time.monotonic()
        with refused(UnauthenticatedError, reason="TOKEN_INVALID"):
            async with asyncio.timeout(10):
                await anext(stream)
        assert time.monotonic() - revoked_at < WITHIN_S
        with refused(UnauthenticatedError, reason="TOKEN_INVALID"):
            await town.echo.SayMine(new_echo(), metadata=by_key, timeout=5)
        await other.send(new_echo(number=2))
        assert (await anext(other)).number == 2


async def test_who_logs_out_is_refused_elsewhere_within_five_seconds(town: Town) -> None:
    metadata = call_metadata((await town.guest()).access_token)
    await town.echo.SayMine(new_echo(), metadata=metadata, timeout=5)
    await town.people.LogOut(service_pb.LogOutRequest(), metadata=metadata, timeout=5)
    await asyncio.sleep(WITHIN_S)
    with refused(UnauthenticatedError, reason="TOKEN_INVALID"):
        await town.echo.SayMine(new_echo(), metadata=metadata, timeout=5)


async def test_while_the_user_service_is_away_who_was_known_goes_on_and_a_new_key_is_unavailable(town: Town) -> None:
    tokens = await town.guest()
    known = call_metadata((await town.new_key(tokens)).token)
    new = call_metadata((await town.new_key(tokens)).token)
    await town.echo.SayMine(new_echo(), metadata=known, timeout=5)
    await town.people_server.drain()
    await town.echo.SayMine(new_echo(), metadata=known, timeout=5)
    await town.echo.SayMine(new_echo(), metadata=call_metadata(tokens.access_token), timeout=5)
    with refused(UnavailableError):
        await town.echo.SayMine(new_echo(), metadata=new, timeout=5)
