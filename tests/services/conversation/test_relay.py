"""Several relays on one database share the way to history, and each conversation arrives once and in order."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

from grpc.aio import AioRpcError
from sqlalchemy import delete, text
from sqlalchemy.orm import Session
from vivavoce.history.v1.history_service_pb2_grpc import HistoryServiceStub

from mesh.clock import Clock, SystemClock
from mesh.database import Database
from mesh.migrations import migrate
from services.conversation.app import MIGRATIONS
from services.conversation.domain.choices import Choices
from services.conversation.domain.records import TurnTaken
from services.conversation.relay import Relay
from services.conversation.set_aside import SetAsides
from services.conversation.shares import Shares
from services.conversation.store import VERSION_TABLE, ConversationStore
from services.conversation.tables import EventRow
from services.history.settings import Settings
from services.history.tables import ConversationRow as HistoryConversationRow
from services.history.tables import EventRow as HistoryRow
from services.history.tables import LineRow
from tests.services.calls import until
from tests.services.history.conftest import HistoryMesh, history_mesh

CONVERSATIONS = 12
TURNS = 40
CLOCK = SystemClock()


class Replica:
    """A conversation service's store and relay, and how many events its relay delivered."""

    def __init__(self, mesh: HistoryMesh, database: Database, lease_s: float, clock: Clock) -> None:
        news = asyncio.Event()
        self.store = ConversationStore(database, clock, news.set)
        self.shares = Shares(database, clock, lease_s)
        self.relay = Relay(
            self.store,
            self.shares,
            HistoryServiceStub(mesh.channel).Ingest,
            lambda: mesh.authority.service_metadata("conversation"),
            clock,
            news,
        )


@asynccontextmanager
async def replica(mesh: HistoryMesh, url: str, lease_s: float, clock: Clock = CLOCK) -> AsyncIterator[Replica]:
    """One at work; killed at the end of the block, without letting go of its parts."""
    async with Database(url) as database:
        opened = Replica(mesh, database, lease_s, clock)
        relaying = asyncio.create_task(opened.relay._run())
        try:
            yield opened
        finally:
            relaying.cancel()
            with suppress(asyncio.CancelledError):
                await relaying


async def talk(store: ConversationStore, name: str) -> None:
    await store.create(name, "usr_test", "", Choices())
    for number in range(TURNS):
        await store.append(name, TurnTaken(f"trn_{number}", 1, f"turn {number}", typed=True))


async def arrived(mesh: HistoryMesh, name: str) -> bool:
    with suppress(AioRpcError):
        return len(await mesh.events(name)) == TURNS + 1
    return False


async def test_relays_share_conversations_and_keep_their_order(database_url: str, tmp_path: Path) -> None:
    await asyncio.to_thread(migrate, database_url, MIGRATIONS, VERSION_TABLE)
    async with AsyncExitStack() as stack:
        mesh = await stack.enter_async_context(history_mesh(Settings(data_dir=tmp_path / "history")))
        replicas = [await stack.enter_async_context(replica(mesh, database_url, 3.0)) for _ in range(3)]
        names = [f"cnv_{number}" for number in range(CONVERSATIONS)]
        await asyncio.gather(*(talk(replicas[place % 3].store, name) for place, name in enumerate(names)))
        for name in names:
            await until(lambda name=name: arrived(mesh, name), within_s=30)  # type: ignore[misc]  # Bound at once.
            assert [event.sequence for event in await mesh.events(name)] == list(range(1, TURNS + 2))

        async def all_carry_something() -> bool:
            return all([(await each.shares.held()).parts for each in replicas])

        await until(all_carry_something, within_s=30)


async def test_what_a_vanished_relay_carried_another_carries_on(database_url: str, tmp_path: Path) -> None:
    await asyncio.to_thread(migrate, database_url, MIGRATIONS, VERSION_TABLE)
    async with history_mesh(Settings(data_dir=tmp_path / "history")) as mesh:
        async with replica(mesh, database_url, 1.0) as first:
            await talk(first.store, "cnv_1")
            await until(lambda: arrived(mesh, "cnv_1"))
        async with replica(mesh, database_url, 1.0) as second:
            await talk(second.store, "cnv_2")
            await until(lambda: arrived(mesh, "cnv_2"))


async def test_a_relay_that_stops_in_order_keeps_nobody_waiting(database_url: str, tmp_path: Path) -> None:
    await asyncio.to_thread(migrate, database_url, MIGRATIONS, VERSION_TABLE)
    async with history_mesh(Settings(data_dir=tmp_path / "history")) as mesh, Database(database_url) as database:
        first, second = (Replica(mesh, database, 3600.0, CLOCK) for _ in range(2))
        relaying = asyncio.create_task(first.relay.run())
        await talk(first.store, "cnv_1")
        await until(lambda: arrived(mesh, "cnv_1"))
        relaying.cancel()
        with suppress(asyncio.CancelledError):
            await relaying
        assert (await second.shares.held()).alone


async def test_an_event_that_history_refuses_for_good_holds_up_its_own_conversation_and_no_other(
    database_url: str, tmp_path: Path
) -> None:
    await asyncio.to_thread(migrate, database_url, MIGRATIONS, VERSION_TABLE)
    refused = TurnTaken("trn_" + "x" * 100, 1, "Hello.", typed=True)
    async with (
        history_mesh(Settings(data_dir=tmp_path / "history")) as mesh,
        Database(database_url) as database,
        replica(mesh, database_url, 3.0) as relaying,
    ):
        await relaying.store.create("cnv_0", "usr_test", "", Choices())
        await relaying.store.append("cnv_0", refused)
        await talk(relaying.store, "cnv_1")
        await until(lambda: arrived(mesh, "cnv_1"), within_s=30)
        await relaying.store.append("cnv_0", TurnTaken("trn_2", 1, "And again.", typed=True))
        asides = SetAsides(database)
        (aside,) = await asides.all()
        assert (aside.conversation_id, aside.sequence, aside.reason, aside.waiting) == ("cnv_0", 2, "INVALID_FIELD", 2)
        assert [event.sequence for event in await mesh.events("cnv_0")] == [1]
        assert await relaying.store.backlog() == 0
        await database.run(lambda session: mend(session, "cnv_0", 2))
        await asides.send_again()
        await until(lambda: has(mesh, "cnv_0", [1, 2, 3]), within_s=30)
        assert not await asides.all()


async def test_what_history_has_lost_since_is_sent_again(database_url: str, tmp_path: Path) -> None:
    await asyncio.to_thread(migrate, database_url, MIGRATIONS, VERSION_TABLE)
    async with (
        history_mesh(Settings(data_dir=tmp_path / "history")) as mesh,
        Database(f"sqlite:///{tmp_path}/history/history.db", 1) as kept,
        replica(mesh, database_url, 3.0) as relaying,
    ):
        await talk(relaying.store, "cnv_1")
        await until(lambda: arrived(mesh, "cnv_1"), within_s=30)
        await kept.run(lambda session: restore(session, "cnv_1", TURNS // 2))
        await relaying.store.append("cnv_1", TurnTaken("trn_new", 1, "And again.", typed=True))
        await until(lambda: has(mesh, "cnv_1", list(range(1, TURNS + 3))), within_s=30)


async def test_what_is_lost_on_both_sides_holds_up_its_own_conversation_and_no_other(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/conversation.db"
    await asyncio.to_thread(migrate, url, MIGRATIONS, VERSION_TABLE)
    async with (
        history_mesh(Settings(data_dir=tmp_path / "history")) as mesh,
        Database(url, 1) as database,
    ):
        store = ConversationStore(database, SystemClock(), lambda: None)
        await store.create("cnv_0", "usr_test", "", Choices())
        await store.append("cnv_0", TurnTaken("trn_1", 1, "Hello.", typed=True))
        await database.run(lambda session: session.delete(session.get_one(EventRow, ("cnv_0", 1))))
        async with replica(mesh, url, 3.0) as relaying:
            await talk(relaying.store, "cnv_1")
            await until(lambda: arrived(mesh, "cnv_1"), within_s=30)
            (aside,) = await SetAsides(database).all()
            assert (aside.conversation_id, aside.sequence, aside.reason) == ("cnv_0", 2, "CONFLICT")


async def test_what_a_later_version_wrote_waits_for_it_and_holds_up_no_other_conversation(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/conversation.db"
    await asyncio.to_thread(migrate, url, MIGRATIONS, VERSION_TABLE)
    async with history_mesh(Settings(data_dir=tmp_path / "history")) as mesh, Database(url, 1) as database:
        store = ConversationStore(database, SystemClock(), lambda: None)
        await store.create("cnv_0", "usr_test", "", Choices())
        await store.append("cnv_0", TurnTaken("trn_1", 1, "Hello.", typed=True))
        await database.run(lambda session: rename(session, "cnv_0", 2, "turn_sung"))
        async with replica(mesh, url, 3.0) as earlier:
            await talk(earlier.store, "cnv_1")
            await until(lambda: arrived(mesh, "cnv_1"), within_s=30)
            (aside,) = await SetAsides(database).all()
            assert (aside.conversation_id, aside.sequence, aside.reason) == ("cnv_0", 2, "LATER_VERSION")
        # The version that knows it has only to start.
        await database.run(lambda session: rename(session, "cnv_0", 2, "turn_taken"))
        async with replica(mesh, url, 3.0) as later:
            await talk(later.store, "cnv_2")
            await until(lambda: has(mesh, "cnv_0", [1, 2]), within_s=30)
        assert not await SetAsides(database).all()


async def test_an_event_that_history_fails_at_waits_until_that_is_mended_and_holds_up_no_other_conversation(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path}/conversation.db"
    await asyncio.to_thread(migrate, url, MIGRATIONS, VERSION_TABLE)
    async with (
        history_mesh(Settings(data_dir=tmp_path / "history")) as mesh,
        Database(f"sqlite:///{tmp_path}/history/history.db", 1) as kept,
        Database(url, 1) as database,
    ):
        await kept.run(lambda session: session.execute(text(FAULT)))
        store = ConversationStore(database, SystemClock(), lambda: None)
        await store.create("cnv_0", "usr_test", "", Choices())
        await store.append("cnv_0", TurnTaken("trn_faulty", 1, "Hello.", typed=True))
        async with replica(mesh, url, 3.0) as failing:
            await talk(failing.store, "cnv_1")
            await until(lambda: arrived(mesh, "cnv_1"), within_s=30)
            (aside,) = await SetAsides(database).all()
            assert (aside.conversation_id, aside.sequence, aside.reason) == ("cnv_0", 2, "INTERNAL")
        await kept.run(lambda session: session.execute(text("DROP TRIGGER fault")))
        async with replica(mesh, url, 3.0):
            await until(lambda: has(mesh, "cnv_0", [1, 2]), within_s=30)
        assert not await SetAsides(database).all()


async def test_where_history_fails_at_everything_all_but_a_few_conversations_wait_for_it(tmp_path: Path) -> None:
    url, names = f"sqlite:///{tmp_path}/conversation.db", [f"cnv_{number:02}" for number in range(14)]
    await asyncio.to_thread(migrate, url, MIGRATIONS, VERSION_TABLE)
    async with (
        history_mesh(Settings(data_dir=tmp_path / "history")) as mesh,
        Database(f"sqlite:///{tmp_path}/history/history.db", 1) as kept,
        Database(url, 1) as database,
    ):
        await kept.run(lambda session: session.execute(text(FAULT.replace("'trn_faulty'", "NEW.turn_id"))))
        store, asides = ConversationStore(database, SystemClock(), lambda: None), SetAsides(database)
        for name in names:
            await store.create(name, "usr_test", "", Choices())
        async with replica(mesh, url, 3.0, HastyClock()) as failing:
            await until(lambda: many(asides, 10), within_s=30)
            tried = failing.relay._faults
            await until(lambda: later(failing, tried + 5), within_s=30)
            assert len(await asides.all()) == 10


async def many(asides: SetAsides, number: int) -> bool:
    return len(await asides.all()) >= number


async def later(replica: Replica, faults: int) -> bool:
    return replica.relay._faults >= faults


class HastyClock(SystemClock):
    """Pauses are over in no time."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / 1000)


#: What history does not reckon with; the trigger stands for any fault of its own.
FAULT = """
CREATE TRIGGER fault BEFORE INSERT ON history_events WHEN NEW.turn_id = 'trn_faulty'
BEGIN SELECT RAISE(ABORT, 'a fault'); END
"""


def restore(session: Session, conversation_id: str, sequence: int) -> None:
    """History as a backup has it that was made after that event."""
    later = (HistoryRow.conversation_id == conversation_id) & (HistoryRow.sequence > sequence)
    session.execute(delete(HistoryRow).where(later))
    session.execute(delete(LineRow).where(LineRow.conversation_id == conversation_id, LineRow.sequence > sequence))
    session.get_one(HistoryConversationRow, conversation_id).last_sequence = sequence


def rename(session: Session, conversation_id: str, sequence: int, kind: str) -> None:
    session.get_one(EventRow, (conversation_id, sequence)).kind = kind


def mend(session: Session, conversation_id: str, sequence: int) -> None:
    event = session.get_one(EventRow, (conversation_id, sequence))
    event.payload = event.payload.replace("x" * 100, "1")


async def has(mesh: HistoryMesh, name: str, sequences: list[int]) -> bool:
    return [event.sequence for event in await mesh.events(name)] == sequences
