"""Puts the history service together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final

from vivavoce.history.v1 import history_service_pb2_grpc as service_grpc

from mesh.clock import Clock
from mesh.database import Database
from mesh.migrations import migrate
from mesh.peers import SERVICE_NAMES, Peers
from mesh.server import Service
from mesh.stores import Stores
from mesh.workers import Workers
from services.history.elsewhere import Elsewhere
from services.history.export import Exports
from services.history.lessons import Lessons
from services.history.levels import Levels
from services.history.people import People
from services.history.reports import Reports
from services.history.servicer import HistoryServicer
from services.history.settings import Settings
from services.history.store import VERSION_TABLE, MemoryStore

MIGRATIONS: Final = Path(__file__).parent / "migrations"


@asynccontextmanager
async def open_service(settings: Settings, peers: Peers, clock: Clock) -> AsyncIterator[Service]:
    """The history service, ready to register. It calls user, media, conversation and ai_engine."""
    await asyncio.to_thread(migrate, settings.database(), MIGRATIONS, VERSION_TABLE)
    levels = Levels()
    async with (
        Database(settings.database(), settings.database_threads) as database,
        Stores("history", {"database": database.answers}, clock) as stores,
        Workers("history files", queue=settings.files_queue) as files,
        Workers("history sums", queue=settings.sums_queue) as sums,
    ):
        memory = MemoryStore(database, clock, levels.of)
        await memory.catch_up()
        lessons = Lessons(database, clock, levels.of)
        servicer = HistoryServicer(
            memory=memory,
            lessons=lessons,
            reports=Reports(database, memory, sums, peers),
            exports=Exports(memory, lessons, files),
            people=People(partial(peers.channel, "user")),
            elsewhere=Elsewhere(peers),
            workers=sums,
            clock=clock,
        )
        yield Service(
            SERVICE_NAMES["history"],
            partial(service_grpc.add_HistoryServiceServicer_to_server, servicer),
            stores=stores.answering,
        )
