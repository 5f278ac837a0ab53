"""Kills and stalls both ends of the way to history, at random, and looks at what came of what was promised."""

import asyncio
import multiprocessing
import os
import random
import secrets
import signal
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.exc import OperationalError, ProgrammingError
from vivavoce.history.v1 import history_pb2 as history_pb
from vivavoce.history.v1 import history_service_pb2 as service_pb
from vivavoce.history.v1.history_service_pb2_grpc import HistoryServiceStub

from cli.ports import free_port
from cli.stores.postgres import Postgres
from mesh.channel import open_channel
from mesh.errors import VivavoceError
from mesh.migrations import migrate
from mesh.streams import client_stream
from mesh.testing import new_private_key_pem
from services.conversation.app import MIGRATIONS
from services.conversation.store import VERSION_TABLE
from services.history.packing import measures_of
from tests.services.history.crash_processes import CONVERSATIONS, Site, keep_history, name_of, tell

#: Processes are forked from one that has imported everything: a round takes milliseconds, not seconds.
_FORKS = multiprocessing.get_context("forkserver")
_FAULTS = ("kill the teller", "kill history", "kill both", "stall the teller", "stall history", "deliver again")


@dataclass(slots=True)
class Outcome:
    """What was found in the end."""

    rounds: Counter[str] = field(default_factory=Counter)
    told: int = 0
    kept: int = 0
    counted: int = 0
    lost: int = 0
    wrong: int = 0
    gaps: int = 0
    disordered: int = 0
    drain_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Torment:
    """How long it goes on, and over which databases."""

    conversation_url: str
    history_url: str
    seed: int
    rounds: int
    turns: int


def on_sqlite(folder: Path, seed: int, rounds: int, turns: int) -> Torment:
    """A file for each service."""
    return Torment(f"sqlite:///{folder}/conversation.db", f"sqlite:///{folder}/history.db", seed, rounds, turns)


def on_postgres(server: Postgres, seed: int, rounds: int, turns: int) -> Torment:
    """A database for each service."""
    mark = secrets.token_hex(4)
    return Torment(server.database(f"told_{mark}"), server.database(f"kept_{mark}"), seed, rounds, turns)


async def torment(folder: Path, planned: Torment) -> Outcome:
    """Runs at least so many rounds and turns, lets everything arrive, and compares."""
    seed, rounds, turns = planned.seed, planned.rounds, planned.turns
    chance, outcome = random.Random(seed), Outcome()
    site = Site(folder, free_port("127.0.0.1"), new_private_key_pem(), planned.conversation_url, planned.history_url)
    await asyncio.to_thread(migrate, site.conversation_url, MIGRATIONS, VERSION_TABLE)
    _FORKS.set_forkserver_preload(["tests.services.history.crash_processes"])
    with ExitStack() as stack:
        ends = _Ends(site, seed)
        stack.callback(ends.kill)
        ends.start()
        for number in range(1, rounds + 1):
            # However slow the machine is, something is said between two faults, and something is under way.
            await _more_is_told(site, turns * number // rounds)
            await asyncio.sleep(chance.uniform(0, 0.1))
            fault = chance.choice(_FAULTS)
            outcome.rounds[fault] += 1
            await _inflict(fault, ends, chance)
        ends.teller_stays_silent()
        outcome.drain_s = await _arrived(site)
    _compare(site, outcome)
    return outcome


class _Ends:
    """The two processes."""

    def __init__(self, site: Site, seed: int) -> None:
        self.site = site
        self._seed = seed

    def start(self) -> None:
        self._start_history()
        self._start_teller()

    def _start_history(self) -> None:
        self.history = _FORKS.Process(target=keep_history, args=(self.site,), daemon=True)
        self.history.start()

    def _start_teller(self, *, silent: bool = False) -> None:
        self._seed += 1
        self.teller = _FORKS.Process(target=tell, args=(self.site, None if silent else self._seed), daemon=True)
        self.teller.start()

    def kill(self, *, history: bool = True, teller: bool = True, again: bool = False) -> None:
        for end, wanted in ((self.teller, teller), (self.history, history)):
            if wanted:
                end.kill()
                end.join()
        if again and history:
            self._start_history()
        if again and teller:
            self._start_teller()

    def teller_stays_silent(self) -> None:
        """From now on what is there is relayed, and nothing new is said."""
        self.kill(history=False)
        self._start_teller(silent=True)


async def _inflict(fault: str, ends: _Ends, chance: random.Random) -> None:
    match fault:
        case "kill the teller":
            ends.kill(history=False, again=True)
        case "kill history":
            ends.kill(teller=False, again=True)
        case "kill both":
            ends.kill(again=True)
        case "stall the teller" | "stall history":
            pid = (ends.teller if fault == "stall the teller" else ends.history).pid
            assert pid is not None
            os.kill(pid, signal.SIGSTOP)
            await asyncio.sleep(chance.uniform(0.1, 0.4))
            os.kill(pid, signal.SIGCONT)
        case _:
            await _deliver_again(ends.site, name_of(chance.randrange(CONVERSATIONS)))


async def _deliver_again(site: Site, name: str) -> None:
    """Sends what history has of a conversation once more, as a relay does that missed the acknowledgement."""
    stored = _rows(
        site.history_url, "SELECT payload FROM history_events WHERE conversation_id = :name LIMIT 200", name=name
    )
    events = [history_pb.HistoryEvent.FromString(payload) for (payload,) in stored]
    if not events:
        return
    metadata = site.authority().service_metadata("conversation")
    async with open_channel(f"127.0.0.1:{site.port}") as channel:
        ingest = HistoryServiceStub(channel).Ingest
        try:
            async with asyncio.timeout(3), client_stream(ingest, metadata=metadata) as again:
                await again.send(service_pb.IngestRequest(delivery=1, events=events))
                await anext(again)
        except (VivavoceError, TimeoutError, StopAsyncIteration):
            return  # History was just being started again.


async def _more_is_told(site: Site, turns: int) -> None:
    async with asyncio.timeout(60):
        while _told(site) < turns:  # noqa: ASYNC110 (another process tells)
            await asyncio.sleep(0.02)


async def _arrived(site: Site) -> float:
    """Seconds until the outbox is empty."""
    began = time.monotonic()
    async with asyncio.timeout(60):
        while _rows(site.conversation_url, "SELECT 1 FROM conversation_outbox LIMIT 1"):  # noqa: ASYNC110 (as above)
            await asyncio.sleep(0.05)
    return time.monotonic() - began


def _told(site: Site) -> int:
    return site.told.read_bytes().count(b"\n") if site.told.exists() else 0


def _compare(site: Site, outcome: Outcome) -> None:
    kept: dict[tuple[str, int], str] = {}
    last: Counter[str] = Counter()
    # In the order in which they were stored, which only SQLite can tell.
    order = "rowid" if site.history_url.startswith("sqlite") else "conversation_id, sequence"
    for name, sequence, payload in _rows(
        site.history_url, f"SELECT conversation_id, sequence, payload FROM history_events ORDER BY {order}"
    ):
        outcome.disordered += sequence < last[name]
        outcome.gaps += sequence > last[name] + 1
        last[name] = sequence
        event = history_pb.HistoryEvent.FromString(payload)
        if event.HasField("turn_taken"):
            kept[name, sequence] = event.turn_taken.text
    outcome.kept = len(kept)
    counted = _rows(site.history_url, "SELECT counts FROM history_quarters")
    outcome.counted = sum(measures_of(bytes(counts), b"", "{}").counts.turns for (counts,) in counted)
    for line in site.told.read_text().splitlines():
        name, sequence, text = line.split("\t")
        outcome.told += 1
        found = kept.get((name, int(sequence)))
        outcome.lost += found is None
        outcome.wrong += found is not None and found != text


def _rows(url: str, query: str, **values: str) -> list[Any]:
    engine = create_engine(url, poolclass=NullPool)
    try:
        with engine.connect() as connection:
            return list(connection.execute(text(query), values))
    except (OperationalError, ProgrammingError):
        return []  # Its tables are just being made.
