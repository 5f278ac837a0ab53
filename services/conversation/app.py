"""Puts the conversation service together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final

from vivavoce.ai_engine.v1.ai_engine_service_pb2_grpc import AiEngineServiceStub
from vivavoce.conversation.v1.conversation_service_pb2_grpc import add_ConversationServiceServicer_to_server
from vivavoce.history.v1.history_service_pb2_grpc import HistoryServiceStub
from vivavoce.media.v1.media_service_pb2_grpc import MediaServiceStub
from vivavoce.user.v1.user_service_pb2_grpc import UserServiceStub

from mesh.clock import Clock
from mesh.database import Database
from mesh.ephemeral import Ephemeral, EphemeralSettings, is_shared, open_ephemeral
from mesh.migrations import migrate
from mesh.peers import SERVICE_NAMES, Peers
from mesh.server import Service
from mesh.settings import load
from mesh.stores import Question, Stores
from services.conversation.export import Export
from services.conversation.forgetting import Forgetting
from services.conversation.knowledge import Knowledge
from services.conversation.live.opening import Mesh
from services.conversation.live.recall import Recall
from services.conversation.live.sessions import Sessions
from services.conversation.relay import Relay
from services.conversation.servicer import ConversationServicer
from services.conversation.settings import Settings
from services.conversation.shares import Shares
from services.conversation.store import VERSION_TABLE, ConversationStore
from services.conversation.wire.budget import UserBudget
from services.conversation.wire.consent import UserConsent

MIGRATIONS: Final = Path(__file__).parent / "migrations"
#: What sessions left behind is stored within this, when the service ends.
_LAST_WORDS_S: Final = 2.5


@asynccontextmanager
async def open_service(settings: Settings, peers: Peers, clock: Clock) -> AsyncIterator[Service]:
    """The conversation service, ready to register. It calls ai_engine, history, media and user."""
    await asyncio.to_thread(_prepare, settings)
    news, shared = asyncio.Event(), load(EphemeralSettings)
    async with (
        Database(settings.database, settings.database_threads) as database,
        open_ephemeral(shared, clock) as leases,
        Stores("conversation", _questions(database, leases if is_shared(shared.url) else None), clock) as stores,
    ):
        store = ConversationStore(database, clock, news.set)
        history = HistoryServiceStub(peers.channel("history"))
        relay = Relay(
            store, Shares(database, clock, settings.relay_lease_s), history.Ingest, peers.metadata, clock, news
        )
        users = UserServiceStub(peers.channel("user"))
        recall = Recall(history, users, peers.metadata, settings.recall_s).of
        mesh = Mesh(
            AiEngineServiceStub(peers.channel("ai_engine", audio=True)).Run,
            MediaServiceStub(peers.channel("media")).Record,
            UserBudget(users, peers.metadata),
            UserConsent(users, peers.metadata),
            recall,
            peers.metadata,
        )
        sessions = Sessions(settings, store, mesh, leases, clock)
        servicer = ConversationServicer(
            sessions,
            store,
            knowledge=Knowledge(store, recall),
            export=Export(database),
            forgetting=Forgetting(database, clock),
            stalled_s=settings.stalled_s,
        )
        beside = {
            asyncio.create_task(relay.run(), name="history relay"),
            asyncio.create_task(sessions.watch(), name="ownership"),
            asyncio.create_task(sessions.weigh(), name="strain"),
        }
        try:
            yield Service(
                SERVICE_NAMES["conversation"],
                partial(add_ConversationServiceServicer_to_server, servicer),
                on_drain=sessions.drain,
                stores=stores.answering,
            )
        finally:
            await sessions.close(_LAST_WORDS_S)
            for task in beside:
                task.cancel()
            await asyncio.wait(beside)


def _questions(database: Database, leases: Ephemeral | None) -> dict[str, Question]:
    """What the stores are asked; leases that are kept in this process are always there."""
    of_database: dict[str, Question] = {"database": database.answers}
    return of_database | ({"leases": partial(leases.get, "anything")} if leases else {})


def _prepare(settings: Settings) -> None:
    if not settings.database_url:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    migrate(settings.database, MIGRATIONS, VERSION_TABLE)
