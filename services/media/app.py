"""Puts the media service together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final

from vivavoce.media.v1 import media_service_pb2_grpc as service_grpc

from mesh.clock import Clock
from mesh.database import Database
from mesh.migrations import migrate
from mesh.peers import SERVICE_NAMES, Peers
from mesh.server import Service
from mesh.workers import Workers
from services.media.blobs.local import LocalBlobs
from services.media.janitor import Janitor
from services.media.recorder import Limits, Recorder
from services.media.removal import Removal
from services.media.servicer import MediaServicer
from services.media.settings import Settings
from services.media.store import VERSION_TABLE, RecordingStore

MIGRATIONS: Final = Path(__file__).parent / "migrations"


@asynccontextmanager
async def open_service(settings: Settings, peers: Peers, clock: Clock) -> AsyncIterator[Service]:
    """The media service, ready to register. It calls no other service."""
    await asyncio.to_thread(migrate, settings.database(), MIGRATIONS, VERSION_TABLE)
    limits = Limits(settings.segment_s, settings.longest_recording_s, settings.most_recordings)
    async with (
        Database(settings.database(), settings.database_threads) as database,
        Workers("files", threads=settings.file_threads, queue=settings.file_queue) as threads,
    ):
        blobs, recordings = LocalBlobs(settings.recordings(), threads), RecordingStore(database)
        removal = Removal(blobs=blobs, recordings=recordings, clock=clock)
        async with (
            Recorder(blobs=blobs, recordings=recordings, limits=limits, clock=clock) as recorder,
            Janitor(
                blobs=blobs,
                recordings=recordings,
                removal=removal,
                is_live=recorder.is_live,
                forsaken_after_s=settings.forsaken_after_s,
                clock=clock,
            ),
        ):
            servicer = MediaServicer(  # type: ignore[abstract]  # Planned RPCs have no handler yet.
                recorder=recorder, removal=removal, recordings=recordings, blobs=blobs, clock=clock
            )
            yield Service(SERVICE_NAMES["media"], partial(service_grpc.add_MediaServiceServicer_to_server, servicer))
