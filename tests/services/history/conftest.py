"""The history service on a real server, and its clients."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from vivavoce.ai_engine.v1 import ai_engine_service_pb2 as engine_service_pb
from vivavoce.ai_engine.v1.ai_engine_service_pb2_grpc import (
    AiEngineServiceServicer,
    add_AiEngineServiceServicer_to_server,
)
from vivavoce.history.v1 import history_pb2 as history_pb
from vivavoce.history.v1 import history_service_pb2 as service_pb
from vivavoce.history.v1.history_service_pb2_grpc import HistoryServiceStub
from vivavoce.user.v1 import user_pb2 as user_pb
from vivavoce.user.v1 import user_service_pb2 as user_service_pb
from vivavoce.user.v1.user_service_pb2_grpc import UserServiceServicer, add_UserServiceServicer_to_server

from mesh.channel import open_channel
from mesh.clock import Clock, SystemClock
from mesh.errors import UnavailableError
from mesh.identity import caller
from mesh.peers import SERVICE_NAMES, Peers
from mesh.server import Service
from mesh.streams import DuplexStream, client_stream
from mesh.testing import Authority, new_authority, serve
from mesh.tokens import ServiceTokens
from services.history.app import open_service
from services.history.settings import Settings

if TYPE_CHECKING:
    from vivavoce.history.v1.history_service_pb2_grpc import HistoryServiceAsyncStub

IngestStream = DuplexStream[service_pb.IngestRequest, service_pb.IngestResponse]


def event(
    sequence: int, text: str = "hello", *, conversation_id: str = "cnv_1", user_id: str = "usr_test"
) -> history_pb.HistoryEvent:
    """A turn; the first is the beginning."""
    happened = history_pb.HistoryEvent(
        conversation_id=conversation_id, sequence=sequence, user_id=user_id, time=Timestamp(seconds=1000 + sequence)
    )
    if sequence == 1:
        happened.conversation_began.settings.scenario_id = "cafe"
    else:
        happened.turn_taken.text = text
        happened.turn_taken.turn_id = f"trn_{sequence}"
    return happened


@dataclass(frozen=True, slots=True)
class HistoryMesh:
    """What a test of the history service needs."""

    stub: "HistoryServiceAsyncStub"
    authority: Authority
    channel: grpc.aio.Channel

    @asynccontextmanager
    async def ingest(self) -> AsyncIterator[IngestStream]:
        metadata = self.authority.service_metadata("conversation")
        async with client_stream(self.stub.Ingest, metadata=metadata) as stream:
            yield stream

    async def deliver(self, *deliveries: list[history_pb.HistoryEvent]) -> list[int]:
        """Sends deliveries on a stream of their own; returns what was acknowledged."""
        async with self.ingest() as stream:
            for number, events in enumerate(deliveries, 1):
                await stream.send(service_pb.IngestRequest(delivery=number, events=events))
            await stream.done_sending()
            return [answer.acknowledged_delivery async for answer in stream]

    async def conversations(
        self, user_id: str = "usr_test", request: service_pb.ListConversationsRequest | None = None
    ) -> service_pb.ListConversationsResponse:
        return await self.stub.ListConversations(
            request or service_pb.ListConversationsRequest(), metadata=self.authority.user_metadata(user_id)
        )

    async def page(
        self, user_id: str = "usr_test", *, conversation_id: str = "cnv_1", page_size: int = 0, page_token: str = ""
    ) -> service_pb.ListEventsResponse:
        request = service_pb.ListEventsRequest(
            conversation_id=conversation_id, page_size=page_size, page_token=page_token
        )
        return await self.stub.ListEvents(request, metadata=self.authority.user_metadata(user_id))

    async def events(self, conversation_id: str = "cnv_1", user_id: str = "usr_test") -> list[history_pb.HistoryEvent]:
        """All of them, page by page."""
        found: list[history_pb.HistoryEvent] = []
        token = ""
        while True:
            page = await self.page(user_id, conversation_id=conversation_id, page_size=500, page_token=token)
            found += page.events
            token = page.next_page_token
            if not token:
                return found


class Profiles(UserServiceServicer):
    """The part of the user service that history asks."""

    async def GetUser(
        self, request: user_service_pb.GetUserRequest, context: object
    ) -> user_service_pb.GetUserResponse:
        zones = {"usr_berlin": "Europe/Berlin"}
        profile = user_pb.Profile(time_zone=zones.get(caller().user_id, ""))
        return user_service_pb.GetUserResponse(user=user_pb.User(user_id=caller().user_id, profile=profile))


class Writer(AiEngineServiceServicer):
    """The part of the engine that history asks: it writes reports for one learner, and fails for others."""

    async def WriteReport(
        self, request: engine_service_pb.WriteReportRequest, context: object
    ) -> engine_service_pb.WriteReportResponse:
        if request.user_id != "usr_praised":
            raise UnavailableError("No model is here.")
        said = request.context.lines[-1].text
        return engine_service_pb.WriteReportResponse(praise=f"You said: {said}", next_step="Say more.")


@asynccontextmanager
async def history_mesh(settings: Settings, clock: Clock | None = None) -> AsyncIterator[HistoryMesh]:
    authority = new_authority()
    profiles = Service(
        SERVICE_NAMES["user"],
        partial(add_UserServiceServicer_to_server, Profiles()),  # type: ignore[abstract]  # All that is asked.
    )
    writer = Service(
        SERVICE_NAMES["ai_engine"],
        partial(add_AiEngineServiceServicer_to_server, Writer()),  # type: ignore[abstract]  # As above.
    )
    async with (
        serve([profiles, writer], authority) as neighbours,
        Peers(
            dict.fromkeys(("user", "ai_engine"), neighbours.address), ServiceTokens(authority.signer, "history")
        ) as peers,
        open_service(settings, peers, clock or SystemClock()) as service,
        serve([service], authority) as server,
        open_channel(server.address) as channel,
    ):
        yield HistoryMesh(HistoryServiceStub(channel), authority, channel)


@pytest.fixture
async def mesh(database_url: str, tmp_path: Path) -> AsyncIterator[HistoryMesh]:
    async with history_mesh(Settings(data_dir=tmp_path, database_url=database_url)) as running:
        yield running
