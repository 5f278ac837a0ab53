"""What is kept about a person is given out whole, and forgotten for good; on SQLite and PostgreSQL."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import func, select
from vivavoce.conversation.v1 import conversation_service_pb2 as service_pb
from vivavoce.conversation.v1.conversation_service_pb2_grpc import ConversationServiceStub
from vivavoce.type.v1 import error_pb2 as error_pb

from mesh.clock import VirtualClock
from mesh.database import Database
from mesh.errors import NotAllowedError, NotFoundError
from mesh.migrations import migrate
from services.conversation.app import MIGRATIONS
from services.conversation.domain.choices import Choices
from services.conversation.domain.pauses import PauseHabit
from services.conversation.domain.records import TurnTaken
from services.conversation.export import PIECE_BYTES, Export
from services.conversation.forgetting import Forgetting
from services.conversation.store import VERSION_TABLE, ConversationStore
from services.conversation.tables import EventRow, OutboxRow
from tests.services.calls import refused
from tests.services.conversation.conftest import House

TURN = TurnTaken("trn_1", 1, "Ça va?", typed=True)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    await asyncio.to_thread(migrate, database_url, MIGRATIONS, VERSION_TABLE)
    async with Database(database_url) as opened:
        yield opened


@pytest.fixture
def store(database: Database) -> ConversationStore:
    return ConversationStore(database, VirtualClock(), lambda: None)


@pytest.fixture
def forgetting(database: Database) -> Forgetting:
    return Forgetting(database, VirtualClock())


async def forget(forgetting: Forgetting, user_id: str, request_id: str = "req_1") -> int:
    await forgetting.begin(user_id, request_id)
    return await forgetting.remove(user_id)


async def rows(database: Database) -> list[int]:
    """Events and outbox rows that are left."""
    counts = [select(func.count()).select_from(table) for table in (EventRow, OutboxRow)]
    return await database.read(lambda session: [session.scalars(count).one() for count in counts])


async def test_nothing_is_left_of_whom_is_forgotten_and_all_of_the_others(
    database: Database, store: ConversationStore, forgetting: Forgetting
) -> None:
    for number in range(3):
        await store.create(f"cnv_{number}", "usr_1", "", Choices())
        await store.append(f"cnv_{number}", TURN)
    await store.create("cnv_other", "usr_2", "", Choices())
    assert await forget(forgetting, "usr_1") == 3
    assert await rows(database) == [1, 1]
    assert (await store.get("cnv_other", "usr_2")).id == "cnv_other"
    with pytest.raises(NotFoundError):
        await store.append("cnv_0", TURN)


async def test_forgetting_again_gives_the_same_receipt(store: ConversationStore, forgetting: Forgetting) -> None:
    await store.create("cnv_1", "usr_1", "", Choices())
    assert await forget(forgetting, "usr_1") == 1
    assert await forget(forgetting, "usr_1") == 1
    assert await forget(forgetting, "usr_1", "req_2") == 0


async def test_whom_is_forgotten_can_begin_nothing_however_it_races(
    database: Database, store: ConversationStore, forgetting: Forgetting
) -> None:
    begun = [asyncio.create_task(store.create(f"cnv_{n}", "usr_1", "", Choices())) for n in range(40)]
    await asyncio.sleep(0)
    await forget(forgetting, "usr_1")
    await asyncio.gather(*begun, return_exceptions=True)
    assert await rows(database) == [0, 0]
    with pytest.raises(NotAllowedError):
        await store.create("cnv_late", "usr_1", "", Choices())


async def test_the_export_has_every_conversation_of_the_person_and_of_nobody_else(
    database: Database, store: ConversationStore
) -> None:
    await store.create("cnv_1", "usr_1", "Café", Choices("cafe"))
    for _ in range(450):
        await store.append("cnv_1", TURN)
    await store.create("cnv_2", "usr_1", "", Choices())
    await store.create("cnv_other", "usr_2", "", Choices())
    files: dict[str, bytes] = {}
    async for path, piece in Export(database).files("usr_1"):
        assert len(piece) <= PIECE_BYTES
        files[path] = files.get(path, b"") + piece
    assert sorted(files) == ["conversations/cnv_1.json", "conversations/cnv_2.json"]
    first = json.loads(files["conversations/cnv_1.json"])
    assert (first["title"], first["settings"]["scenario_id"]) == ("Café", "cafe")
    assert [event["sequence"] for event in first["events"]] == list(range(1, 452))
    assert first["events"][1]["turn_taken"]["text"] == "Ça va?"


async def test_how_long_a_person_pauses_is_in_the_export_and_is_forgotten_with_them(
    database: Database, store: ConversationStore, forgetting: Forgetting
) -> None:
    await store.create("cnv_1", "usr_1", "", Choices())
    await store.keep_habit("cnv_1", PauseHabit(1.25))
    assert await store.habit("usr_1") == PauseHabit(1.25)
    files = dict([each async for each in Export(database).files("usr_1")])
    assert json.loads(files["habits.json"])["usual_pause_ms"] == 1250
    await forget(forgetting, "usr_1")
    assert await store.habit("usr_1") == PauseHabit()


async def test_forgetting_a_person_ends_their_live_session(house: House) -> None:
    stub = ConversationServiceStub(house.channel)
    async with house.learner() as learner, house.learner("usr_other") as other:
        await learner.start()
        await other.start()
        await learner.until("reply_finished")
        request = service_pb.ForgetUserRequest(user_id="usr_test", request_id="req_1")
        answer = await stub.ForgetUser(request, metadata=house.authority.service_metadata("user"))
        assert answer.conversation_count == 1
        assert (await learner.to_the_end())[-1] == "session_ended"
        assert learner.events[-1].session_ended.failure.reason == error_pb.ERROR_REASON_NOT_ALLOWED
        await other.until("reply_finished")
    async with house.learner() as again:
        with refused(NotAllowedError):
            await again.start()


async def test_only_the_user_service_may_ask(house: House) -> None:
    stub = ConversationServiceStub(house.channel)
    request = service_pb.ForgetUserRequest(user_id="usr_test", request_id="req_1")
    for metadata in (house.authority.user_metadata(), house.authority.service_metadata("history")):
        with refused(NotAllowedError):
            await stub.ForgetUser(request, metadata=metadata)
        with refused(NotAllowedError):
            async for _ in stub.ExportUser(service_pb.ExportUserRequest(user_id="usr_test"), metadata=metadata):
                pass
