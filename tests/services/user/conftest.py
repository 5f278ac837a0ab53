"""The user service on a real server, and its client."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from vivavoce.type.v1 import access_pb2 as access_pb
from vivavoce.user.v1 import user_pb2 as user_pb
from vivavoce.user.v1 import user_service_pb2 as service_pb
from vivavoce.user.v1.user_service_pb2_grpc import UserServiceStub

from mesh.channel import call_metadata, open_channel
from mesh.clock import VirtualClock
from mesh.peers import Peers
from mesh.server import Service
from mesh.testing import Authority, new_private_key_pem, serve
from mesh.tokens import Jwk, ServiceTokens, TokenSigner, TokenVerifier
from services.user.app import open_service
from services.user.settings import Settings
from tests.services.user.mailbox import Mailbox

if TYPE_CHECKING:
    from vivavoce.user.v1.user_service_pb2_grpc import UserServiceAsyncStub

Metadata = tuple[tuple[str, str], ...]

PASSWORD = "correct horse battery"


@dataclass(frozen=True, slots=True)
class UserMesh:
    """What a test of the user service needs."""

    stub: "UserServiceAsyncStub"
    authority: Authority
    clock: VirtualClock
    mailbox: Mailbox

    @property
    def verifier(self) -> TokenVerifier:
        return self.authority.verifier

    def at(self, address: str) -> Metadata:
        """Metadata of a call whose client is there, as the edge sends it."""
        return Peers({}, ServiceTokens(self.authority.signer, "edge", self.clock)).on_behalf_of(address)

    async def register(
        self, email: str = "ann@example.org", *, client: str = "", request_id: str = ""
    ) -> service_pb.RegisterUserResponse:
        return await self.stub.RegisterUser(
            service_pb.RegisterUserRequest(email=email, password=PASSWORD, client=client, request_id=request_id)
        )

    async def log_in(
        self, email: str = "ann@example.org", password: str = PASSWORD, *, at: str = "", client: str = ""
    ) -> user_pb.Tokens:
        request = service_pb.LogInRequest(email=email, password=password, client=client)
        return (await self.stub.LogIn(request, metadata=self.at(at) if at else ())).tokens

    async def guest(self) -> service_pb.CreateGuestResponse:
        return await self.stub.CreateGuest(service_pb.CreateGuestRequest())

    async def refresh(self, token: str) -> user_pb.Tokens:
        return (await self.stub.RefreshTokens(service_pb.RefreshTokensRequest(refresh_token=token))).tokens

    async def user(self, tokens: user_pb.Tokens) -> user_pb.User:
        answer = await self.stub.GetUser(service_pb.GetUserRequest(), metadata=call_metadata(tokens.access_token))
        return answer.user

    async def update(self, tokens: user_pb.Tokens, profile: user_pb.Profile, *paths: str) -> user_pb.User:
        request = service_pb.UpdateUserRequest(profile=profile)
        request.update_mask.paths.extend(paths)
        return (await self.stub.UpdateUser(request, metadata=call_metadata(tokens.access_token))).user

    async def new_key(
        self, tokens: user_pb.Tokens, *scopes: access_pb.Scope.ValueType, name: str = "a program", days: float = 0
    ) -> service_pb.CreateAccessKeyResponse:
        request = service_pb.CreateAccessKeyRequest(name=name, scopes=scopes or [access_pb.SCOPE_TALK])
        if days:
            request.expire_time.FromDatetime(self.clock.wall() + timedelta(days=days))
        return await self.stub.CreateAccessKey(request, metadata=call_metadata(tokens.access_token))

    async def exchange(self, key: str, *, service: str = "edge") -> user_pb.Tokens:
        request = service_pb.ExchangeAccessKeyRequest(token=key)
        metadata = self.authority.service_metadata(service)
        return (await self.stub.ExchangeAccessKey(request, metadata=metadata)).tokens

    async def log_out(self, tokens: user_pb.Tokens) -> None:
        await self.stub.LogOut(service_pb.LogOutRequest(), metadata=call_metadata(tokens.access_token))


@asynccontextmanager
async def user_mesh(
    settings: Settings, neighbours: Mapping[str, Service] | None = None, *, clock: VirtualClock | None = None
) -> AsyncIterator[UserMesh]:
    """The service, between `neighbours` by their names."""
    clock = clock or VirtualClock()
    signer = TokenSigner(new_private_key_pem(), "services", clock=clock)

    async def signing_keys() -> list[Jwk]:
        answer = await stub.ListSigningKeys(service_pb.ListSigningKeysRequest())
        return [signer.jwk(), *map(jwk, answer.keys)]

    authority = Authority(signer, TokenVerifier(signing_keys, clock))
    beside = neighbours or {}
    async with (
        serve(list(beside.values()), authority) as street,
        Peers(dict.fromkeys(beside, street.address), ServiceTokens(signer, "user", clock)) as peers,
        open_service(settings, peers, clock) as service,
        serve([service], authority) as server,
        open_channel(server.address) as channel,
    ):
        stub = UserServiceStub(channel)
        yield UserMesh(stub, authority, clock, Mailbox(settings.data_dir / "mail"))


def jwk(key: user_pb.SigningKey) -> Jwk:
    return {"kid": key.kid, "kty": key.kty, "crv": key.crv, "x": key.x, "alg": key.alg, "use": key.use}


@pytest.fixture
async def mesh(database_url: str, tmp_path: Path) -> AsyncIterator[UserMesh]:
    async with user_mesh(Settings(data_dir=tmp_path / "data", database_url=database_url)) as running:
        yield running


@pytest.fixture
async def sqlite_mesh(sqlite_url: str, tmp_path: Path) -> AsyncIterator[UserMesh]:
    """For what never reaches the database."""
    async with user_mesh(Settings(data_dir=tmp_path / "data", database_url=sqlite_url)) as running:
        yield running
