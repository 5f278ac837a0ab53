"""Puts the media service together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final

from vivavoce.media.v1 import media_service_pb2_grpc as service_grpc

from mesh.clock import Clock
from mesh.database import Database
from mesh.janitor import Janitor
from mesh.migrations import migrate
from mesh.peers import SERVICE_NAMES, Peers
from mesh.server import Service
from mesh.stores import Question, Stores
from mesh.workers import Workers
from services.media.archivist import Archivist
from services.media.blobs.opening import open_blobs
from services.media.download import Downloads
from services.media.export import Export
from services.media.lasting import LastingFiles
from services.media.library_store import LibraryStore
from services.media.links import Links, open_key
from services.media.player import Player
from services.media.recorder import Limits, Recorder
from services.media.removal import Removal
from services.media.servicer import MediaServicer, Policy, Staff
from services.media.settings import Settings
from services.media.shelf import Shelf
from services.media.sound.jobs import Bounds
from services.media.spool import LocalSpool
from services.media.store import VERSION_TABLE, RecordingStore
from services.media.transcoding import Transcoding
from services.media.upkeep import Rules, Upkeep
from services.media.workshop import Room, Workshop

MIGRATIONS: Final = Path(__file__).parent / "migrations"
#: Between the looks for what is to be finished or removed.
_UPKEEP_S: Final = 60.0
_GIB: Final = 1024**3


@asynccontextmanager
async def open_service(settings: Settings, peers: Peers, clock: Clock) -> AsyncIterator[Service]:
    """The media service, ready to register. It calls no other service."""
    await asyncio.to_thread(migrate, settings.database(), MIGRATIONS, VERSION_TABLE)
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(Database(settings.database(), settings.database_threads))
        threads = await stack.enter_async_context(
            Workers("files", threads=settings.file_threads, queue=settings.file_queue)
        )
        spool = LocalSpool(settings.spool(), threads, settings.spool_bytes())
        await spool.open()
        blobs = await stack.enter_async_context(open_blobs(settings, threads))
        recordings, library = RecordingStore(database, settings.node), LibraryStore(database, settings.node)
        shelf = Shelf(settings.shelf(), threads, settings.shelf_bytes())
        archiving = await stack.enter_async_context(
            Workshop(Room(settings.archive_processes, settings.archive_processes))
        )
        archivist = await stack.enter_async_context(
            Archivist(
                spool=spool,
                blobs=blobs,
                recordings=recordings,
                workshop=archiving,
                bounds=_of_archive(settings),
                at_once=settings.archive_processes,
                clock=clock,
            )
        )

        async def let_go(recording_id: str) -> None:
            await archivist.let_go(recording_id)
            await shelf.drop(recording_id)

        removal = Removal(spool=spool, blobs=blobs, recordings=recordings, library=library, let_go=let_go, clock=clock)
        limits = Limits(settings.segment_s, settings.longest_recording_s, settings.most_recordings)
        recorder = await stack.enter_async_context(
            Recorder(spool=spool, recordings=recordings, limits=limits, clock=clock, finished=archivist.wake)
        )
        upkeep = Upkeep(
            spool=spool,
            recordings=recordings,
            library=library,
            removal=removal,
            is_live=recorder.is_live,
            finished=archivist.wake,
            rules=Rules(settings.forsaken_after_s, settings.keep_days),
        )
        await stack.enter_async_context(Janitor({"recordings": upkeep.sweep}, clock, every_s=_UPKEEP_S))
        workshop = await stack.enter_async_context(Workshop(Room(settings.sound_processes, settings.sound_queue)))
        lasting = LastingFiles(blobs=blobs, library=library, shelf=shelf, threads=threads)
        downloads = Downloads(spool=spool, recordings=recordings, lasting=lasting, threads=threads)
        staff = Staff(
            recorder=recorder,
            removal=removal,
            library=library,
            lasting=lasting,
            downloads=downloads,
            export=Export(library=library, lasting=lasting, downloads=downloads),
            player=Player(
                library=library,
                lasting=lasting,
                shelf=shelf,
                workshop=workshop,
                bounds=_of_archive(settings),
                threads=threads,
            ),
            links=Links(open_key(settings.playback_secret, settings.data_dir / "keys" / "playback.key"), clock),
            transcoding=Transcoding(
                workshop=workshop, bounds=_of_people(settings), folder=settings.shelf(), threads=threads
            ),
        )
        policy = Policy(settings.keep_days, settings.presign, settings.public_url)
        servicer = MediaServicer(staff=staff, policy=policy, clock=clock)
        questions: dict[str, Question] = {"database": database.answers}
        if settings.store != "local":
            questions["bucket"] = partial(blobs.keys, "anything")
        stores = await stack.enter_async_context(Stores("media", questions, clock))
        yield Service(
            SERVICE_NAMES["media"],
            partial(service_grpc.add_MediaServiceServicer_to_server, servicer),
            stores=stores.answering,
        )


def _of_people(settings: Settings) -> Bounds:
    """How much sound that people send may take."""
    return Bounds(
        longest_s=settings.longest_sound_s,
        most_channels=8,
        memory_bytes=settings.sound_memory_bytes(),
        cpu_s=300,
        output_bytes=2 * _GIB,
        wall_s=600,
    )


def _of_archive(settings: Settings) -> Bounds:
    """How much our own recordings may take."""
    return Bounds(
        longest_s=settings.longest_recording_s + 1,
        most_channels=2,
        memory_bytes=settings.sound_memory_bytes(),
        cpu_s=3600,
        output_bytes=4 * _GIB,
        wall_s=7200,
    )
