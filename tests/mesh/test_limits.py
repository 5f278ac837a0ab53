"""What one client may take of the whole mesh, and that its neighbours do not notice when it wants more."""

import asyncio
from contextlib import AsyncExitStack, suppress
from typing import Final

import grpc
import pytest
from vivavoce.conversation.v1 import conversation_pb2 as settings_pb
from vivavoce.conversation.v1 import converse_pb2 as converse_pb
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from cli.compose import RunningMesh
from edge.settings import Settings as EdgeSettings
from mesh.errors import ExhaustedError
from services.conversation.settings import Settings
from tests.mesh.clients import Request, converse, next_of, open_raw, start
from tests.mesh.conftest import SESSIONS_OF_ONE, Watch

#: A client that does not read is closed within this, as it comes.
_CLOSED_S: Final = 15.0
#: Nobody speaks unless asked: sessions that only take up room.
_SILENT: Final = start(settings_pb.ConversationSettings(initiative=settings_pb.TUTOR_INITIATIVE_ANSWERS))
_PING: Final = Request(ping=converse_pb.Ping(nonce=1 << 62))


async def test_one_learner_holds_so_many_sessions_and_another_is_not_kept_out(
    mesh: RunningMesh, channel: grpc.aio.Channel, token: str
) -> None:
    async with AsyncExitStack() as held:
        for _ in range(SESSIONS_OF_ONE):
            await next_of(await held.enter_async_context(converse(channel, token, _SILENT)), "session_started")
        with pytest.raises(ExhaustedError) as refused:
            async with converse(channel, token, _SILENT) as one_more:
                await next_of(one_more, "session_started")
        assert refused.value.reason == "RATE_LIMITED"
        async with converse(channel, await mesh.guest_token(), _SILENT) as other:
            await next_of(other, "session_started")


async def test_a_client_that_never_reads_is_let_go_and_its_neighbour_talks_on(
    mesh: RunningMesh, channel: grpc.aio.Channel, token: str, watch: Watch
) -> None:
    async with converse(channel, await mesh.guest_token(), _SILENT) as neighbour, open_raw(mesh, token) as deaf:
        await next_of(neighbour, "session_started")
        await deaf.send(_SILENT.SerializeToString())
        await deaf.recv()
        # Nobody reads from here on, and every Ping asks for an answer.
        deaf.transport.pause_reading()
        chatter = asyncio.create_task(ping_until_closed(deaf))
        answers = 0
        while not chatter.done():
            await neighbour.send(_PING)
            await next_of(neighbour, "pong")
            answers += 1
        await chatter
        deaf.transport.abort()
    assert answers > 10
    await watch.settled()


async def ping_until_closed(socket: ClientConnection) -> None:
    with suppress(ConnectionClosed):
        async with asyncio.timeout(_CLOSED_S + 25):
            while True:
                await socket.send(_PING.SerializeToString())
                # Whoever sends more than the edge takes in is held back, and with it the answer the edge waits for.
                await asyncio.sleep(0.01)


async def test_as_it_comes_a_client_that_never_reads_is_let_go_in_time() -> None:
    # Either looks every so often whether it reads.
    assert 1.25 * max(EdgeSettings().stalled_after_s, Settings().stalled_s) < _CLOSED_S
