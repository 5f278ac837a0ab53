"""Who talks stays signed in, however many of their calls find at once that the token has expired."""

import asyncio
from collections.abc import AsyncIterator

import grpc
import pytest
import pytest_asyncio
from vivavoce.client.access import Access
from vivavoce.client.errors import ClientError
from vivavoce.user.v1 import user_pb2 as people_pb
from vivavoce.user.v1 import user_service_pb2 as user_pb


@pytest.fixture
def shown() -> list[str]:
    """The refresh tokens that the user service was shown."""
    return []


@pytest_asyncio.fixture
async def channel(shown: list[str]) -> AsyncIterator[grpc.aio.Channel]:
    async def refresh(request: user_pb.RefreshTokensRequest, _: object) -> user_pb.RefreshTokensResponse:
        shown.append(request.refresh_token)
        tokens = people_pb.Tokens(access_token=f"access {len(shown)}", refresh_token=f"refresh {len(shown)}")
        return user_pb.RefreshTokensResponse(tokens=tokens)

    server = grpc.aio.server()
    method = grpc.unary_unary_rpc_method_handler(
        refresh, user_pb.RefreshTokensRequest.FromString, user_pb.RefreshTokensResponse.SerializeToString
    )
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler("vivavoce.user.v1.UserService", {"RefreshTokens": method})]
    )
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as opened:
        yield opened
    await server.stop(None)


async def test_a_refresh_token_is_used_once_however_many_ask_at_the_same_time(
    shown: list[str], channel: grpc.aio.Channel
) -> None:
    access = Access(channel, "access", "refresh")
    assert [*await asyncio.gather(access.renew(), access.renew())] == ["access 1", "access 1"]
    assert await access.renew() == "access 2"
    assert shown == ["refresh", "refresh 1"]


async def test_a_personal_access_token_holds_as_it_is_and_a_mere_access_token_ends(channel: grpc.aio.Channel) -> None:
    assert await Access(channel, "vvk_1").renew() == "vvk_1"
    with pytest.raises(ClientError) as caught:
        await Access(channel, "access").renew()
    assert caught.value.reason == "TOKEN_INVALID"
