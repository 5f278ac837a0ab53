"""Events arrive over a stream: acknowledged once stored, in order, each once."""

import asyncio
from pathlib import Path

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from vivavoce.history.v1 import history_pb2 as history_pb
from vivavoce.history.v1 import history_service_pb2 as service_pb

from mesh.errors import ConflictError, InvalidFieldError, NotAllowedError
from mesh.streams import client_stream
from mesh.testing import no_leaked_tasks
from services.history.settings import Settings
from tests.services.calls import refused
from tests.services.history.conftest import HistoryMesh, event, history_mesh


async def test_what_is_acknowledged_can_be_read_back_as_it_was(mesh: HistoryMesh) -> None:
    sent = [event(number, f"turn {number} \x00 é") for number in range(1, 301)]
    acknowledged = await mesh.deliver(*[[each] for each in sent])
    assert acknowledged[-1] == 300
    assert acknowledged == sorted(set(acknowledged))
    assert await mesh.events() == sent


async def test_a_repeated_delivery_is_acknowledged_and_ignored(mesh: HistoryMesh) -> None:
    sent = [event(1), event(2), event(3)]
    await mesh.deliver(sent[:2])
    assert (await mesh.deliver(sent, [event(2, "something else")]))[-1] == 2
    assert await mesh.events() == sent


async def test_a_gap_is_refused_and_what_came_before_it_is_acknowledged(mesh: HistoryMesh) -> None:
    acknowledged = []
    with refused(ConflictError, reason="CONFLICT") as refusal:
        async with mesh.ingest() as stream:
            for number, sequence in enumerate((1, 2, 4), 1):
                await stream.send(service_pb.IngestRequest(delivery=number, events=[event(sequence)]))
            async for answer in stream:
                acknowledged.append(answer.acknowledged_delivery)  # noqa: PERF401 (kept when the stream fails)
    assert refusal.error is not None
    assert refusal.error.metadata["expected_sequence"] == "3"
    assert refusal.error.metadata["conversation_id"] == "cnv_1"
    assert acknowledged[-1] == 2
    assert len(await mesh.events()) == 2


async def test_many_streams_with_many_conversations_at_once_lose_and_double_nothing(mesh: HistoryMesh) -> None:
    async def relay(stream: int) -> None:
        names = [f"cnv_{stream}_{each}" for each in range(3)]
        await mesh.deliver(*[[event(number, conversation_id=name) for name in names] for number in range(1, 31)])

    async with asyncio.TaskGroup() as relays:
        for stream in range(8):
            relays.create_task(relay(stream))
    for stream in range(8):
        for each in range(3):
            found = await mesh.events(f"cnv_{stream}_{each}")
            assert [happened.sequence for happened in found] == list(range(1, 31))


async def test_two_replicas_that_are_sent_the_same_store_it_once(database_url: str, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, database_url=database_url)
    sent = [[event(number)] for number in range(1, 51)]

    async def relay(mesh: HistoryMesh) -> None:
        # A relay that is refused sends again, as its own does.
        while True:
            try:
                await mesh.deliver(*sent)
            except ConflictError:
                continue
            return

    async with history_mesh(settings) as one, history_mesh(settings) as other:
        await asyncio.gather(relay(one), relay(other), relay(one), relay(other))
        assert [happened.sequence for happened in await one.events()] == list(range(1, 51))


async def test_events_of_another_learner_are_refused(mesh: HistoryMesh) -> None:
    await mesh.deliver([event(1)])
    with refused(InvalidFieldError, field="events.user_id"):
        await mesh.deliver([event(2, user_id="usr_other")])
    assert len(await mesh.events()) == 1


def without_time() -> history_pb.HistoryEvent:
    bare = event(2)
    bare.ClearField("time")
    return bare


def without_event() -> history_pb.HistoryEvent:
    return history_pb.HistoryEvent(conversation_id="cnv_1", sequence=2, user_id="usr_test", time=Timestamp(seconds=1))


def in_no_year() -> history_pb.HistoryEvent:
    odd = event(2)
    odd.time.seconds = 2**62
    return odd


def with_long_turn_id() -> history_pb.HistoryEvent:
    odd = event(2)
    odd.turn_taken.turn_id = "x" * 65
    return odd


@pytest.mark.parametrize(
    "bad",
    [
        [],
        [event(2)] * 257,
        [event(0)],
        [event(2, conversation_id="")],
        [event(2, conversation_id="x" * 65)],
        [event(2, conversation_id="\x00")],
        [event(2, user_id="")],
        [without_time()],
        [without_event()],
        [in_no_year()],
        [with_long_turn_id()],
    ],
)
async def test_a_delivery_that_breaks_the_contract_is_refused_wherever_it_comes(
    bad: list[history_pb.HistoryEvent], tmp_path: Path
) -> None:
    async with history_mesh(Settings(data_dir=tmp_path)) as mesh:
        with refused(InvalidFieldError):
            await mesh.deliver(bad)
        with refused(InvalidFieldError):
            await mesh.deliver([event(1)], bad)
        assert await mesh.events() == [event(1)]


async def test_deliveries_are_numbered_without_gaps(sqlite_url: str, tmp_path: Path) -> None:
    async with history_mesh(Settings(data_dir=tmp_path, database_url=sqlite_url)) as mesh:
        with refused(InvalidFieldError, field="delivery"):
            async with mesh.ingest() as stream:
                await stream.send(service_pb.IngestRequest(delivery=2, events=[event(1)]))
                async for _ in stream:
                    pass


async def test_a_learner_may_not_ingest(tmp_path: Path) -> None:
    async with history_mesh(Settings(data_dir=tmp_path)) as mesh:
        metadata = mesh.authority.user_metadata()
        with refused(NotAllowedError):
            async with client_stream(mesh.stub.Ingest, metadata=metadata) as stream:
                async for _ in stream:
                    pass


async def test_a_relay_that_vanishes_leaves_nothing_running(tmp_path: Path) -> None:
    async with history_mesh(Settings(data_dir=tmp_path)) as mesh:
        await mesh.deliver([event(1)])
        async with no_leaked_tasks():
            call = mesh.stub.Ingest(metadata=mesh.authority.service_metadata("conversation"))
            await call.write(service_pb.IngestRequest(delivery=1, events=[event(2)]))
            await call.read()
            call.cancel()
        assert len(await mesh.events()) == 2
