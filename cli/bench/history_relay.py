"""How soon what is committed stands in history, and how soon all of it does once history has been away."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from vivavoce.history.v1.history_service_pb2_grpc import HistoryServiceStub

from cli.bench.history_server import HistoryProcess
from mesh.channel import call_metadata, open_channel
from mesh.clock import SystemClock
from mesh.database import Database
from mesh.ids import new_id
from mesh.migrations import migrate
from mesh.tokens import SERVICES
from services.conversation.app import MIGRATIONS
from services.conversation.domain.choices import Choices
from services.conversation.domain.keeping import Delivery
from services.conversation.domain.records import TurnTaken
from services.conversation.relay import Relay
from services.conversation.shares import Shares
from services.conversation.store import VERSION_TABLE, ConversationStore

_CONVERSATIONS: Final = 20
_LEASE_S: Final = 5.0
_WITHIN_S: Final = 120.0


@dataclass(frozen=True, slots=True)
class Told:
    """Milliseconds until each turn was committed, and from then until history had acknowledged it."""

    commits_ms: list[float] = field(default_factory=list)
    waits_ms: list[float] = field(default_factory=list)


class _TimedStore(ConversationStore):
    """Notes when an event was committed, and when history had it."""

    def __init__(self, database: Database, clock: SystemClock, news: asyncio.Event) -> None:
        super().__init__(database, clock, news.set)
        self.committed: dict[tuple[str, int], float] = {}
        self.told = Told()

    async def take_turn(self, conversation_id: str) -> None:
        began = time.perf_counter()
        sequence = await self.append(conversation_id, TurnTaken(new_id("trn"), 1, "I would like some tea.", typed=True))
        self.committed[conversation_id, sequence] = time.perf_counter()
        self.told.commits_ms.append((time.perf_counter() - began) * 1000)

    async def delivered(self, deliveries: list[Delivery]) -> None:
        now = time.perf_counter()
        # One that was delivered before its commit was told of has waited for nothing.
        ended = [self.committed.pop((each.conversation_id, each.sequence), now) for each in deliveries]
        self.told.waits_ms.extend((now - committed) * 1000 for committed in ended)
        await super().delivered(deliveries)


class Telling:
    """People who take turns, and the relay that carries them."""

    def __init__(self, store: _TimedStore, history: HistoryProcess) -> None:
        self._store = store
        self._history = history

    async def fresh(self, turns: int, turns_a_second: float) -> Told:
        """How long so many turns took."""
        self._store.told = told = Told()
        await self._take(turns, turns_a_second)
        await self._all_there()
        self._store.told = Told()  # What comes later is not of these.
        return told

    async def drained_s(self, outage_s: float, turns_a_second: float) -> float:
        """Seconds until all is in history that was told while it was stopped for so long; telling goes on meanwhile."""
        os.kill(self._history.pid, signal.SIGSTOP)
        try:
            await self._take(round(outage_s * turns_a_second), turns_a_second)
        finally:
            os.kill(self._history.pid, signal.SIGCONT)
        began = time.perf_counter()
        missed = set(self._store.committed)
        async with asyncio.timeout(_WITHIN_S):
            while missed & self._store.committed.keys():
                await self._take(1, turns_a_second)
        return time.perf_counter() - began

    async def _take(self, turns: int, turns_a_second: float) -> None:
        began = time.perf_counter()
        async with asyncio.TaskGroup() as taking:
            for number in range(turns):
                await asyncio.sleep(max(0.0, began + number / turns_a_second - time.perf_counter()))
                taking.create_task(self._store.take_turn(_name(number % _CONVERSATIONS)))

    async def _all_there(self) -> None:
        async with asyncio.timeout(_WITHIN_S):
            while self._store.committed:  # noqa: ASYNC110 (the relay tells nobody)
                await asyncio.sleep(0.01)


@asynccontextmanager
async def telling(history: HistoryProcess, url: str) -> AsyncIterator[Telling]:
    """Tells a history for the length of the block, over a database of conversations at the URL."""
    clock, news = SystemClock(), asyncio.Event()
    await asyncio.to_thread(migrate, url, MIGRATIONS, VERSION_TABLE)
    metadata = call_metadata(history.signer.sign("service:conversation", SERVICES, 3600))
    async with Database(url) as database, open_channel(history.address) as channel:
        store = _TimedStore(database, clock, news)
        for number in range(_CONVERSATIONS):
            await store.create(_name(number), "usr_told", "", Choices())
        ingest = HistoryServiceStub(channel).Ingest
        relay = Relay(store, Shares(database, clock, _LEASE_S), ingest, lambda: metadata, clock, news)
        carrying = asyncio.create_task(relay.run(), name="relay")
        try:
            yield Telling(store, history)
        finally:
            carrying.cancel()
            await asyncio.wait((carrying,))


def _name(number: int) -> str:
    return f"cnv_told_{number}"
