"""How long one may stay: access tokens that expire during a talk, and keys that are revoked, over every door."""

import asyncio
from collections.abc import AsyncIterator

import grpc
import pytest
import pytest_asyncio
from vivavoce.client.access import Access
from vivavoce.conversation.v1 import conversation_pb2 as settings_pb
from vivavoce.conversation.v1 import converse_pb2 as converse_pb
from vivavoce.type.v1 import access_pb2 as access_pb
from vivavoce.user.v1 import user_pb2 as user_pb
from vivavoce.user.v1 import user_service_pb2 as user_service_pb
from vivavoce.user.v1.user_service_pb2_grpc import UserServiceStub
from websockets.asyncio.client import connect

from cli.compose import MeshOptions, RunningMesh
from cli.talking.learner import join
from cli.talking.sdk import renewal
from cli.talking.wires import open_grpc
from mesh.channel import call_metadata, open_channel
from mesh.errors import UnauthenticatedError, VivavoceError
from mesh.wire_errors import from_rpc_error
from tests.mesh.clients import Request, converse, eventually, next_of, sent_until_closed, start
from tests.mesh.hosting import folder_for_all, hosted
from tests.services.calls import refused

ACCESS_S = 6
#: What is promised.
WITHIN_S = 5.0
INSTANT: dict[str, object] = {
    **dict.fromkeys(("recognizers", "language_models", "synthesizers"), ("instant",)),
    "voice_activity": "instant",
    "turn_end": "instant",
}
SETTINGS = settings_pb.ConversationSettings()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def strict() -> AsyncIterator[RunningMesh]:
    """A mesh whose access tokens hold for seconds, and whose engines take no time."""
    overrides: dict[str, dict[str, object]] = {
        "user": {"access_lifetime_s": ACCESS_S},
        "ai_engine": INSTANT,
        "conversation": {"resume_s": 1.0},
    }
    with folder_for_all() as folder:
        async with hosted(MeshOptions(folder, overrides=overrides)) as running:
            yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def door(strict: RunningMesh) -> AsyncIterator[grpc.aio.Channel]:
    async with open_channel(strict.grpc, audio=True) as opened:
        yield opened


async def guest(door: grpc.aio.Channel) -> user_pb.Tokens:
    return (await UserServiceStub(door).CreateGuest(user_service_pb.CreateGuestRequest(), timeout=10)).tokens


async def new_key(door: grpc.aio.Channel, tokens: user_pb.Tokens) -> user_service_pb.CreateAccessKeyResponse:
    request = user_service_pb.CreateAccessKeyRequest(name="test", scopes=[access_pb.SCOPE_TALK, access_pb.SCOPE_READ])
    return await UserServiceStub(door).CreateAccessKey(request, metadata=call_metadata(tokens.access_token), timeout=10)


async def is_refused(door: grpc.aio.Channel, token: str) -> bool:
    request = user_service_pb.GetUserRequest()
    try:
        await UserServiceStub(door).GetUser(request, metadata=call_metadata(token), timeout=10)
    except grpc.aio.AioRpcError as error:
        return from_rpc_error(error).reason == "TOKEN_INVALID"
    return False


async def test_a_talk_outlasts_its_access_token_and_one_that_can_not_renew_it_is_told_and_ends(
    door: grpc.aio.Channel,
) -> None:
    renewing = await Access.of_guest(door, "test")
    async with (
        open_grpc(door, renewing.token) as wire,
        join(wire, SETTINGS, input_hz=16_000, client="test", renew=renewal(renewing)) as learner,
    ):
        stuck = Access(door, (await guest(door)).access_token)
        with refused(VivavoceError, reason="TOKEN_INVALID"):
            async with (
                open_grpc(door, stuck.token) as other_wire,
                join(other_wire, SETTINGS, input_hz=16_000, client="test", renew=renewal(stuck)) as other,
            ):
                await other.write("Hello.")
                await asyncio.sleep(ACCESS_S)
                await other.write("Are you still there?")
        assert "personal access token" in other.session.failures[0].message
        # Older than the other one.
        assert (await learner.write("Are you still there?")).reply
        await learner.end()


async def test_a_revoked_key_is_refused_and_what_it_opened_is_closed_within_five_seconds(
    mesh: RunningMesh, channel: grpc.aio.Channel
) -> None:
    tokens = await guest(channel)
    made = await new_key(channel, tokens)
    people = UserServiceStub(channel)
    await people.GetUser(user_service_pb.GetUserRequest(), metadata=call_metadata(made.token), timeout=10)
    headers = {"authorization": f"Bearer {made.token}"}
    url = mesh.web.replace("http", "ws") + "/v1/converse"
    async with (
        converse(channel, made.token, start()) as stream,
        connect(url, additional_headers=headers, compression=None, proxy=None) as socket,
        converse(channel, (await guest(channel)).access_token, start()) as another,
    ):
        await next_of(stream, "session_started")
        await next_of(another, "session_started")
        await socket.send(start().SerializeToString())
        await socket.recv()
        revoke = user_service_pb.RevokeAccessKeyRequest(access_key_id=made.access_key.access_key_id)
        await people.RevokeAccessKey(revoke, metadata=call_metadata(tokens.access_token), timeout=10)
        async with asyncio.timeout(WITHIN_S):
            closed = asyncio.create_task(sent_until_closed(socket))
            with pytest.raises(UnauthenticatedError) as caught:
                await next_of(stream, "session_ended")
            assert caught.value.reason == "TOKEN_INVALID"
            assert await closed == 4401
            # Each process learns of it by itself.
            await eventually(lambda: is_refused(channel, made.token))
        await another.send(Request(ping=converse_pb.Ping(nonce=7)))
        assert (await next_of(another, "pong")).pong.nonce == 7
