"""The user service as a client with the generated, synchronous stub meets it: a black box behind a socket.

pytest-grpc gives the channel and the stub. Its own server would be a synchronous one and ours is asyncio's, so
`grpc_server` runs the real service in a thread, and the rest of the plugin stands on that.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, cast

import grpc
import pytest
from vivavoce.user.v1 import user_pb2 as user_pb
from vivavoce.user.v1 import user_service_pb2 as service_pb
from vivavoce.user.v1.user_service_pb2_grpc import UserServiceStub

from mesh.channel import open_channel
from mesh.clock import SystemClock
from mesh.peers import Peers
from mesh.server import MeshServer
from mesh.testing import new_private_key_pem
from mesh.tokens import Jwk, ServiceTokens, TokenSigner, TokenVerifier
from mesh.wire_errors import from_rpc_error
from services.user.app import open_service
from services.user.settings import Settings
from tests.services.user.conftest import PASSWORD, jwk


@pytest.fixture(scope="module")
def grpc_stub_cls() -> type[UserServiceStub]:
    """Asked for by pytest-grpc."""
    return UserServiceStub


@pytest.fixture(scope="module")
def grpc_addr(grpc_server: str) -> str:
    """Where the real service listens, in place of the plugin's own port."""
    return grpc_server


@pytest.fixture(scope="module")
def grpc_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with _in_a_thread(_service(tmp_path_factory.mktemp("user"))) as address:
        yield address


@asynccontextmanager
async def _service(folder: Path) -> AsyncIterator[str]:
    tokens = ServiceTokens(TokenSigner(new_private_key_pem(), "services"), "user")
    channels: list[grpc.aio.Channel] = []

    async def keys() -> list[Jwk]:
        answer = await UserServiceStub(channels[0]).ListSigningKeys(service_pb.ListSigningKeysRequest())
        return [jwk(key) for key in answer.keys]

    async with (
        Peers({}, tokens) as peers,
        open_service(Settings(data_dir=folder), peers, SystemClock()) as service,
        MeshServer([service], TokenVerifier(keys), notice_s=0, drain_s=1) as server,
        open_channel(server.address) as channel,
    ):
        channels.append(channel)
        yield server.address


@contextmanager
def _in_a_thread(service: Any) -> Iterator[str]:  # noqa: ANN401 (an async context manager)
    """Holds the service open on a loop of its own."""
    running: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
    addresses: list[str] = []
    listening = threading.Event()

    async def hold() -> None:
        stop = asyncio.Event()
        running.append((asyncio.get_running_loop(), stop))
        async with service as address:
            addresses.append(address)
            listening.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(hold()))
    thread.start()
    try:
        assert listening.wait(30), "the service did not start"
        yield addresses[0]
    finally:
        loop, stop = running[0]
        loop.call_soon_threadsafe(stop.set)
        thread.join()


def _register(stub: UserServiceStub, email: str) -> service_pb.RegisterUserResponse:
    request = service_pb.RegisterUserRequest(email=email, password=PASSWORD, client="sync 1.0")
    return stub.RegisterUser(request, timeout=10)


def _as(tokens: user_pb.Tokens) -> dict[str, Any]:
    return {"metadata": (("authorization", f"Bearer {tokens.access_token}"),), "timeout": 10}


def test_register_log_in_and_see_oneself(grpc_stub: UserServiceStub) -> None:
    registered = _register(grpc_stub, "ann@example.org")
    tokens = grpc_stub.LogIn(service_pb.LogInRequest(email="Ann@example.org", password=PASSWORD), timeout=10).tokens
    assert grpc_stub.GetUser(service_pb.GetUserRequest(), **_as(tokens)).user == registered.user


def test_tokens_are_renewed_and_ended(grpc_stub: UserServiceStub) -> None:
    tokens = grpc_stub.CreateGuest(service_pb.CreateGuestRequest(), timeout=10).tokens
    request = service_pb.RefreshTokensRequest(refresh_token=tokens.refresh_token)
    renewed = grpc_stub.RefreshTokens(request, timeout=10).tokens
    grpc_stub.LogOut(service_pb.LogOutRequest(), **_as(renewed))
    refused = service_pb.RefreshTokensRequest(refresh_token=renewed.refresh_token)
    assert _refusal(lambda: grpc_stub.RefreshTokens(refused, timeout=10)) == (
        "UNAUTHENTICATED",
        "TOKEN_INVALID",
        "refresh_token",
    )


def test_a_guest_becomes_an_account_whose_places_are_listed(grpc_stub: UserServiceStub) -> None:
    guest = grpc_stub.CreateGuest(service_pb.CreateGuestRequest(client="sync 1.0"), timeout=10)
    upgrade = service_pb.UpgradeGuestRequest(email="bea@example.org", password=PASSWORD)
    user = grpc_stub.UpgradeGuest(upgrade, **_as(guest.tokens)).user
    assert (user.user_id, user.guest) == (guest.user.user_id, False)
    (login,) = grpc_stub.ListLoginSessions(service_pb.ListLoginSessionsRequest(), **_as(guest.tokens)).login_sessions
    assert (login.current, login.client) == (True, "sync 1.0")


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        (
            lambda stub: stub.RegisterUser(service_pb.RegisterUserRequest(email="ann", password=PASSWORD), timeout=10),
            ("INVALID_ARGUMENT", "INVALID_FIELD", "email"),
        ),
        (
            lambda stub: stub.LogIn(service_pb.LogInRequest(email="no@example.org", password="x"), timeout=10),
            ("UNAUTHENTICATED", "BAD_CREDENTIALS", ""),
        ),
        (
            lambda stub: stub.GetUser(service_pb.GetUserRequest(), timeout=10),
            ("UNAUTHENTICATED", "TOKEN_MISSING", ""),
        ),
        (
            lambda stub: stub.VerifyEmail(service_pb.VerifyEmailRequest(token="x"), timeout=10),
            ("UNAUTHENTICATED", "TOKEN_INVALID", "token"),
        ),
    ],
)
def test_a_refusal_arrives_with_status_reason_and_field(
    grpc_stub: UserServiceStub, call: Callable[[UserServiceStub], object], answer: tuple[str, str, str]
) -> None:
    assert _refusal(lambda: call(grpc_stub)) == answer


def test_an_address_has_one_account(grpc_stub: UserServiceStub) -> None:
    _register(grpc_stub, "cid@example.org")
    refusal = _refusal(lambda: _register(grpc_stub, "cid@example.org"))
    assert refusal == ("ALREADY_EXISTS", "ALREADY_EXISTS", "email")


def _refusal(call: Callable[[], object]) -> tuple[str, str, str]:
    with pytest.raises(grpc.RpcError) as caught:
        call()
    error = from_rpc_error(cast(grpc.aio.AioRpcError, caught.value))  # It has the same methods.
    return error.code.value, error.reason, error.field
