"""A conversation service on a real port, between a scripted engine and the real history and media services."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import pytest
from vivavoce.user.v1 import user_pb2 as user_pb
from vivavoce.user.v1 import user_service_pb2 as user_service_pb
from vivavoce.user.v1.user_service_pb2_grpc import UserServiceServicer, add_UserServiceServicer_to_server

from mesh.channel import open_channel
from mesh.clock import SystemClock
from mesh.errors import UnavailableError
from mesh.peers import SERVICE_NAMES, Peers
from mesh.server import MeshServer, Service
from mesh.settings import load
from mesh.testing import Authority, new_authority, serve
from mesh.tokens import ServiceTokens
from services.conversation.app import open_service
from services.conversation.settings import Settings
from services.history.app import open_service as open_history
from services.history.settings import Settings as HistorySettings
from services.media.app import open_service as open_media
from services.media.settings import Settings as MediaSettings
from services.user.app import open_service as open_user
from services.user.settings import Settings as UserSettings
from tests.services.conversation.learner import Learner, learner
from tests.services.conversation.scripted_engine import Script, engine_service


class Users(UserServiceServicer):
    """Tells what people have agreed to, and answers nothing else."""

    def __init__(self) -> None:
        self.recording = True
        self.away = False
        self.profile = user_pb.Profile()

    async def GetConsent(
        self, request: user_service_pb.GetConsentRequest, context: object
    ) -> user_service_pb.GetConsentResponse:
        if self.away:
            raise UnavailableError("The user service is away; try again.")
        return user_service_pb.GetConsentResponse(recording=self.recording)

    async def GetLearner(
        self, request: user_service_pb.GetLearnerRequest, context: object
    ) -> user_service_pb.GetLearnerResponse:
        if self.away:
            raise UnavailableError("The user service is away; try again.")
        return user_service_pb.GetLearnerResponse(profile=self.profile)


@dataclass
class House:
    """The service under test and what it stands between."""

    authority: Authority
    script: Script
    server: MeshServer
    channel: grpc.aio.Channel
    neighbours: grpc.aio.Channel
    users: Users

    @asynccontextmanager
    async def learner(self, user_id: str = "usr_test", *, plays: bool = True) -> AsyncIterator[Learner]:
        async with learner(self.channel, self.authority.user_metadata(user_id), plays=plays) as found:
            yield found


@asynccontextmanager
async def open_house(
    folder: Path,
    *,
    media_away: bool = False,
    history_address: str = "",
    people: UserSettings | None = None,
    **overrides: object,
) -> AsyncIterator[House]:
    authority = new_authority()
    script = Script()
    script.may_reply.set()
    clock = SystemClock()
    tokens = ServiceTokens(authority.signer, "conversation")
    async with AsyncExitStack() as stack:
        nowhere = await stack.enter_async_context(Peers({}, tokens))
        history = await stack.enter_async_context(open_history(HistorySettings(data_dir=folder), nowhere, clock))
        media = await stack.enter_async_context(open_media(MediaSettings(data_dir=folder), nowhere, clock))
        users = Users()  # type: ignore[abstract]  # The rest answers that it is not built.
        user = Service(SERVICE_NAMES["user"], partial(add_UserServiceServicer_to_server, users))
        if people is not None:
            user = await stack.enter_async_context(open_user(people, nowhere, clock))
        neighbours = await stack.enter_async_context(
            serve([engine_service(script), history, user, *([] if media_away else [media])], authority, drain_s=0.2)
        )
        addresses = dict.fromkeys(("ai_engine", "history", "media", "user"), neighbours.address)
        addresses["history"] = history_address or addresses["history"]
        peers = await stack.enter_async_context(Peers(addresses, tokens))
        settings = load(Settings, {}, data_dir=folder, **overrides)
        service = await stack.enter_async_context(open_service(settings, peers, clock))
        server = await stack.enter_async_context(serve([service], authority, drain_s=5.0))
        channel = await stack.enter_async_context(open_channel(server.address))
        beside = await stack.enter_async_context(open_channel(neighbours.address))
        yield House(authority, script, server, channel, beside, users)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path) as opened:
        yield opened


@pytest.fixture
def houses(tmp_path: Path) -> Callable[..., Any]:
    """Opens a house with settings of one's own."""
    return partial(open_house, tmp_path)
