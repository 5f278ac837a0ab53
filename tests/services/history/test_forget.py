"""A person takes everything away, or is forgotten: all of it, and for good."""

import asyncio
import json
from collections import defaultdict
from pathlib import Path

from sqlalchemy import inspect, text
from vivavoce.history.v1 import history_service_pb2 as service_pb

from mesh.database import open_engine
from mesh.errors import NotAllowedError
from services.history.settings import Settings
from tests.services.calls import refused
from tests.services.history.conftest import HistoryMesh, event, history_mesh


async def talk(mesh: HistoryMesh, user_id: str, conversations: int, events: int = 3) -> None:
    """Conversations `cnv_<user>_<number>` of so many events each."""
    for number in range(conversations):
        name = f"cnv_{user_id}_{number}"
        await mesh.deliver([event(each, conversation_id=name, user_id=user_id) for each in range(1, events + 1)])


async def forget(mesh: HistoryMesh, user_id: str, request_id: str = "req_1") -> int:
    request = service_pb.ForgetUserRequest(user_id=user_id, request_id=request_id)
    answer = await mesh.stub.ForgetUser(request, metadata=mesh.authority.service_metadata("user"))
    return answer.event_count


async def exported(mesh: HistoryMesh, user_id: str) -> dict[str, bytes]:
    files: dict[str, bytes] = defaultdict(bytes)
    request = service_pb.ExportUserRequest(user_id=user_id)
    async for piece in mesh.stub.ExportUser(request, metadata=mesh.authority.service_metadata("user")):
        assert len(piece.data) <= 256 * 1024
        files[piece.path] += piece.data
    return files


def rows_with(url: str, user_id: str) -> dict[str, int]:
    """Rows of each table that name the person."""
    engine = open_engine(url, 1)
    found: dict[str, int] = {}
    with engine.connect() as connection:
        for table in (tables := inspect(connection)).get_table_names():
            if any(column["name"] == "user_id" for column in tables.get_columns(table)):
                counted = text(f'SELECT count(*) FROM "{table}" WHERE user_id = :user_id')
                found[table] = connection.execute(counted, {"user_id": user_id}).scalar_one()
    engine.dispose()
    return found


async def test_who_is_forgotten_leaves_nothing_but_that(mesh: HistoryMesh, database_url: str) -> None:
    await talk(mesh, "usr_a", 3)
    await talk(mesh, "usr_b", 1)
    assert await forget(mesh, "usr_a") == 9
    left = rows_with(database_url, "usr_a")
    assert left.pop("history_learners") == 1
    assert set(left.values()) == {0}
    assert len((await mesh.conversations("usr_b")).conversations) == 1


async def test_more_conversations_than_go_at_once_are_all_forgotten(mesh: HistoryMesh) -> None:
    await talk(mesh, "usr_a", 120, events=1)
    assert await forget(mesh, "usr_a") == 120
    assert not (await mesh.conversations("usr_a")).conversations


async def test_a_repeated_call_gives_the_same_receipt(mesh: HistoryMesh) -> None:
    await talk(mesh, "usr_a", 1)
    assert [await forget(mesh, "usr_a"), await forget(mesh, "usr_a"), await forget(mesh, "usr_a", "req_2")] == [3, 3, 3]


async def test_what_comes_late_is_acknowledged_and_not_kept(mesh: HistoryMesh) -> None:
    await talk(mesh, "usr_a", 1)
    await forget(mesh, "usr_a")
    late = [event(number, conversation_id="cnv_usr_a_0", user_id="usr_a") for number in (4, 5)]
    new = event(1, conversation_id="cnv_new", user_id="usr_a")
    assert (await mesh.deliver(late, [new], [event(1, user_id="usr_b")]))[-1] == 3
    assert not (await mesh.conversations("usr_a")).conversations
    assert len((await mesh.conversations("usr_b")).conversations) == 1


async def test_nothing_survives_that_arrives_while_a_person_is_forgotten(mesh: HistoryMesh) -> None:
    async with asyncio.TaskGroup() as tasks:
        for number in range(20):
            tasks.create_task(mesh.deliver([event(1, conversation_id=f"cnv_{number}", user_id="usr_a")]))
            if number == 10:
                tasks.create_task(forget(mesh, "usr_a"))
    assert not (await mesh.conversations("usr_a")).conversations


async def test_who_never_spoke_can_be_forgotten(mesh: HistoryMesh) -> None:
    assert await forget(mesh, "usr_nobody") == 0


async def test_an_export_tells_every_event_of_every_conversation(mesh: HistoryMesh) -> None:
    await talk(mesh, "usr_a", 2, events=250)
    await talk(mesh, "usr_b", 1)
    files = await exported(mesh, "usr_a")
    assert set(files) == {"conversations/cnv_usr_a_0.json", "conversations/cnv_usr_a_1.json"}
    told = json.loads(files["conversations/cnv_usr_a_1.json"])
    assert told["conversation"]["settings"]["scenario_id"] == "cafe"
    assert [int(each["sequence"]) for each in told["events"]] == list(range(1, 251))
    assert told["events"][5]["turn_taken"]["text"] == "hello"


async def test_an_export_comes_in_pieces_however_long_a_turn_is(mesh: HistoryMesh) -> None:
    await mesh.deliver([event(1)], [event(2, "ä" * 600_000)])
    told = json.loads((await exported(mesh, "usr_test"))["conversations/cnv_1.json"])
    assert told["events"][1]["turn_taken"]["text"] == "ä" * 600_000


async def test_who_has_nothing_exports_nothing(mesh: HistoryMesh) -> None:
    assert await exported(mesh, "usr_nobody") == {}


async def test_a_learner_may_neither_export_nor_forget_through_here(tmp_path: Path) -> None:
    async with history_mesh(Settings(data_dir=tmp_path)) as mesh:
        metadata = mesh.authority.user_metadata()
        with refused(NotAllowedError):
            await mesh.stub.ForgetUser(service_pb.ForgetUserRequest(user_id="a", request_id="b"), metadata=metadata)
        with refused(NotAllowedError):
            async for _ in mesh.stub.ExportUser(service_pb.ExportUserRequest(user_id="a"), metadata=metadata):
                pass
