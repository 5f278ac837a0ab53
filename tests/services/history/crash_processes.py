"""The two ends of the way to history as processes of their own, to be killed: a teller of turns, and history."""

import asyncio
import os
import random
from dataclasses import dataclass
from pathlib import Path

import alembic.command  # noqa: F401 (imported once, before the processes are forked)
from vivavoce.history.v1.history_service_pb2_grpc import HistoryServiceStub

from mesh.channel import open_channel
from mesh.clock import SystemClock
from mesh.database import Database
from mesh.errors import VivavoceError
from mesh.peers import Peers
from mesh.server import MeshServer
from mesh.testing import Authority
from mesh.tokens import Jwk, ServiceTokens, TokenSigner, TokenVerifier
from services.conversation.domain.choices import Choices
from services.conversation.domain.records import TurnTaken
from services.conversation.relay import Relay
from services.conversation.shares import Shares
from services.conversation.store import ConversationStore
from services.history.app import open_service
from services.history.settings import Settings

CONVERSATIONS = 20
#: Soon taken over after a kill.
_LEASE_S = 0.3


@dataclass(frozen=True, slots=True)
class Site:
    """Where everything lies, and how the processes know each other."""

    folder: Path
    port: int
    private_key: bytes
    conversation_url: str
    history_url: str

    @property
    def told(self) -> Path:
        """What a client was told: a line for each turn that was committed."""
        return self.folder / "told.log"

    def authority(self) -> Authority:
        signer = TokenSigner(self.private_key, "test")

        async def keys() -> list[Jwk]:
            return [signer.jwk()]

        return Authority(signer, TokenVerifier(keys))


def name_of(number: int) -> str:
    return f"cnv_{number}"


def keep_history(site: Site) -> None:
    """Serves history until it is killed."""
    asyncio.run(_keep_history(site))


def tell(site: Site, seed: int | None) -> None:
    """Takes turns in all conversations at once and relays them, until it is killed; without a seed it only relays."""
    asyncio.run(_tell(site, seed))


async def _keep_history(site: Site) -> None:
    authority = site.authority()
    async with (
        Peers({}, ServiceTokens(authority.signer, "history")) as peers,
        open_service(Settings(data_dir=site.folder, database_url=site.history_url), peers, SystemClock()) as service,
        MeshServer([service], authority.verifier, address=f"127.0.0.1:{site.port}"),
    ):
        await asyncio.Event().wait()


async def _tell(site: Site, seed: int | None) -> None:
    authority, clock, news = site.authority(), SystemClock(), asyncio.Event()
    told = os.open(site.told, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    async with (
        Database(site.conversation_url) as database,
        open_channel(f"127.0.0.1:{site.port}") as channel,
    ):
        store = ConversationStore(database, clock, news.set)
        metadata = lambda: authority.service_metadata("conversation")  # noqa: E731 (it is passed on)
        relay = Relay(
            store, Shares(database, clock, _LEASE_S), HistoryServiceStub(channel).Ingest, metadata, clock, news
        )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(relay.run())
            for number in range(CONVERSATIONS if seed is not None else 0):
                tasks.create_task(_take_turns(store, name_of(number), told, random.Random(f"{seed} {number}")))


async def _take_turns(store: ConversationStore, name: str, told: int, chance: random.Random) -> None:
    try:
        await store.get(name, "usr_1")
    except VivavoceError:
        await store.create(name, "usr_1", "", Choices())
    while True:
        text = f"turn {chance.getrandbits(64):x}"
        sequence = await store.append(name, TurnTaken(f"trn_{text[5:]}", 1, text, typed=True))
        # Only now the client hears of it.
        os.write(told, f"{name}\t{sequence}\t{text}\n".encode())
        await asyncio.sleep(chance.random() * 0.005)
