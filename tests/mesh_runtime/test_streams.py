"""The stream wrapper over a real server."""

import asyncio
import gc
from typing import Any

import grpc
import pytest

from mesh.client_call import ON_THE_WAY
from mesh.errors import ExhaustedError, InvalidFieldError, NotFoundError, UnauthenticatedError, UnavailableError
from mesh.streams import DuplexStream, client_stream
from mesh.testing import no_leaked_tasks, until
from mesh.wire_errors import from_rpc_error
from tests.mesh_runtime.conftest import EchoMesh
from tests.mesh_runtime.echo import Echo, new_echo

Stream = DuplexStream[Echo, Echo]


async def _read_all(call: Any) -> None:  # noqa: ANN401 (a call of a class made at run time)
    async for _ in call:
        pass


async def meets_too_slow(call: Any) -> None:  # noqa: ANN401 (a call of a class made at run time)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await asyncio.wait_for(_read_all(call), 5)
    assert from_rpc_error(caught.value).reason == "TOO_SLOW"


async def numbers(stream: Stream) -> list[int]:
    return [message.number async for message in stream]


async def test_messages_come_back_in_order_and_the_stream_ends_after_the_last(mesh: EchoMesh) -> None:
    async with (
        no_leaked_tasks(),
        client_stream(mesh.stub.Talk, metadata=mesh.authority.user_metadata()) as stream,
        asyncio.TaskGroup() as tasks,
    ):
        answers = tasks.create_task(numbers(stream))
        for number in range(300):
            await stream.send(new_echo(number=number))
        await stream.done_sending()
        assert await answers == list(range(300))


async def test_leaving_the_block_half_closes_and_the_server_session_ends_by_itself(mesh: EchoMesh) -> None:
    ended: list[str] = []

    async def session(stream: Stream) -> None:
        async for _ in stream:
            pass
        ended.append("by half-close")

    mesh.servicer.session = session
    async with no_leaked_tasks():
        async with client_stream(mesh.stub.Talk, metadata=mesh.authority.user_metadata()) as stream:
            await stream.send(new_echo(number=1))
        assert ended == ["by half-close"]


async def test_what_the_session_sends_last_arrives_before_the_end(mesh: EchoMesh) -> None:
    async def session(stream: Stream) -> None:
        for number in range(20):
            await stream.send(new_echo(number=number))

    mesh.servicer.session = session
    async with client_stream(mesh.stub.Talk, metadata=mesh.authority.user_metadata()) as stream:
        assert await numbers(stream) == list(range(20))


async def test_an_exception_in_the_block_cancels_the_session(mesh: EchoMesh) -> None:
    async def failing_talk() -> None:
        async with client_stream(mesh.stub.Talk, metadata=mesh.authority.user_metadata()) as stream:
            await stream.send(new_echo(number=1))
            await anext(stream)
            assert mesh.servicer.sessions == 1
            raise KeyError

    async with no_leaked_tasks():
        with pytest.raises(KeyError):
            await failing_talk()
        await until(lambda: mesh.servicer.sessions == 0)


async def test_an_error_of_the_session_arrives_typed_after_what_came_before_it(mesh: EchoMesh) -> None:
    async def session(stream: Stream) -> None:
        await stream.send(new_echo(number=7))
        raise NotFoundError("There is no such conversation.", metadata={"conversation_id": "cnv_1"})

    mesh.servicer.session = session
    async with client_stream(mesh.stub.Talk, metadata=mesh.authority.user_metadata()) as stream:
        assert (await anext(stream)).number == 7
        with pytest.raises(NotFoundError) as caught:
            await anext(stream)
        assert caught.value.metadata == {"conversation_id": "cnv_1"}


async def test_sending_after_the_call_failed_raises_its_error(mesh: EchoMesh) -> None:
    async def session(_: Stream) -> None:
        raise NotFoundError("There is no such conversation.")

    mesh.servicer.session = session
    async with client_stream(mesh.stub.Talk, metadata=mesh.authority.user_metadata()) as stream:
        with pytest.raises(NotFoundError):
            await anext(stream)
        with pytest.raises(NotFoundError):
            await stream.send(new_echo())
        assert not stream.offer(new_echo())


async def test_sending_after_the_server_ended_the_call_raises_unavailable(mesh: EchoMesh) -> None:
    async def session(_: Stream) -> None:
        return

    mesh.servicer.session = session
    async with client_stream(mesh.stub.Talk, metadata=mesh.authority.user_metadata()) as stream:
        assert await numbers(stream) == []
        with pytest.raises(UnavailableError):
            await stream.send(new_echo())


async def test_a_first_message_that_breaks_a_rule_is_refused_with_its_field(mesh: EchoMesh) -> None:
    async with client_stream(mesh.stub.Talk, metadata=mesh.authority.user_metadata()) as stream:
        await stream.send(new_echo(number=-1))
        with pytest.raises(InvalidFieldError) as caught:
            await anext(stream)
        assert caught.value.field == "number"


async def test_a_stream_without_a_token_is_refused(mesh: EchoMesh) -> None:
    async with client_stream(mesh.stub.Talk) as stream:
        with pytest.raises(UnauthenticatedError) as caught:
            await anext(stream)
        assert caught.value.reason == "TOKEN_MISSING"
    assert mesh.servicer.sessions == 0


async def test_a_timeout_while_waiting_for_a_message_leaves_the_call_alive(mesh: EchoMesh) -> None:
    async with client_stream(mesh.stub.Talk, metadata=mesh.authority.user_metadata()) as stream:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await anext(stream)
        await stream.send(new_echo(number=5))
        assert (await anext(stream)).number == 5


async def test_a_client_that_never_reads_makes_the_session_too_slow_and_ends_everything(mesh: EchoMesh) -> None:
    raised: list[ExhaustedError] = []

    async def session(stream: Stream) -> None:
        try:
            while True:
                await stream.send(new_echo(sound=bytes(4096)))
        except ExhaustedError as error:
            raised.append(error)
            raise

    mesh.servicer.session = session
    async with no_leaked_tasks():
        call = mesh.stub.Talk(metadata=mesh.authority.user_metadata())
        await call.write(new_echo())
        await until(lambda: bool(raised))
        await until(lambda: mesh.servicer.sessions == 0)
        assert raised[0].reason == "TOO_SLOW"
        await meets_too_slow(call)


async def test_a_client_that_stops_to_read_is_let_go_although_there_is_room_for_more(mesh: EchoMesh) -> None:
    mesh.servicer.outbox = 1000

    async def session(stream: Stream) -> None:
        for _ in range(90):
            await stream.send(new_echo(sound=bytes(4096)))
        await numbers(stream)

    mesh.servicer.session = session
    async with no_leaked_tasks(), asyncio.timeout(10):
        call = mesh.stub.Talk(metadata=mesh.authority.user_metadata())
        await call.write(new_echo())
        await until(lambda: mesh.servicer.ended_calls == 1)
        assert mesh.servicer.sessions == 0
        await meets_too_slow(call)


async def test_a_client_that_does_not_read_the_last_messages_cannot_hold_the_call(mesh: EchoMesh) -> None:
    mesh.servicer.outbox = 100

    async def session(stream: Stream) -> None:
        for _ in range(90):
            await stream.send(new_echo(sound=bytes(4096)))

    mesh.servicer.session = session
    async with no_leaked_tasks(), asyncio.timeout(5):
        call = mesh.stub.Talk(metadata=mesh.authority.user_metadata())
        await call.write(new_echo())
        await until(lambda: mesh.servicer.ended_calls == 1)
        await meets_too_slow(call)


async def test_a_server_that_never_reads_makes_the_client_too_slow(mesh: EchoMesh) -> None:
    async def session(_: Stream) -> None:
        await asyncio.Event().wait()

    mesh.servicer.session = session

    async def talk() -> None:
        metadata = mesh.authority.user_metadata()
        async with client_stream(mesh.stub.Talk, metadata=metadata, outbox=4, stalled_after_s=0.2) as stream:
            while True:
                await stream.send(new_echo(sound=bytes(4096)))

    async with no_leaked_tasks():
        with pytest.raises(ExhaustedError) as caught:
            await talk()
        assert caught.value.reason == "TOO_SLOW"
        await until(lambda: mesh.servicer.sessions == 0)


async def test_little_sound_is_on_its_way_to_a_peer_that_does_not_read(mesh: EchoMesh) -> None:
    sent = 0

    async def session(stream: Stream) -> None:
        nonlocal sent
        while True:
            await stream.send(new_echo(sound=bytes(640)))
            sent += 1

    mesh.servicer.session = session
    call = mesh.stub.Talk(metadata=mesh.authority.user_metadata())
    await call.write(new_echo())
    await until(lambda: sent > 0 and mesh.servicer.sessions == 0)
    assert sent * 640 < 128 * 1024


async def test_a_client_that_vanishes_without_reading_its_call_leaves_no_session(mesh: EchoMesh) -> None:
    async with no_leaked_tasks():
        call = mesh.stub.Talk(metadata=mesh.authority.user_metadata())
        await call.write(new_echo())
        await until(lambda: mesh.servicer.sessions == 1)
        call.cancel()
        await until(lambda: mesh.servicer.sessions == 0)


@pytest.mark.parametrize("stuck_in", ["sending", "receiving"])
async def test_a_session_is_cancelled_wherever_it_waits_when_the_peer_goes(mesh: EchoMesh, stuck_in: str) -> None:
    mesh.servicer.stalled_after_s = 60
    stuck = asyncio.Event()

    async def session(stream: Stream) -> None:
        while stuck_in == "sending" and stream.offer(new_echo(sound=bytes(65536))):  # noqa: ASYNC110 (no event tells)
            await asyncio.sleep(0)
        stuck.set()
        await (stream.send(new_echo()) if stuck_in == "sending" else numbers(stream))

    mesh.servicer.session = session
    async with no_leaked_tasks():
        call = mesh.stub.Talk(metadata=mesh.authority.user_metadata())
        await call.write(new_echo())
        await stuck.wait()
        call.cancel()
        await until(lambda: mesh.servicer.sessions == 0)


async def test_a_session_may_clean_up_with_awaits_when_it_is_cancelled(mesh: EchoMesh) -> None:
    cleaned: list[bool] = []

    async def session(stream: Stream) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(numbers(stream))
                tasks.create_task(asyncio.Event().wait())
        finally:
            await asyncio.sleep(0.02)
            gc.collect()
            cleaned.append(True)

    mesh.servicer.session = session
    async with no_leaked_tasks():
        call = mesh.stub.Talk(metadata=mesh.authority.user_metadata())
        await call.write(new_echo())
        await until(lambda: mesh.servicer.sessions == 1)
        call.cancel()
        await until(lambda: bool(cleaned))


async def test_cancelling_the_client_task_cancels_the_call(mesh: EchoMesh) -> None:
    async def talk() -> None:
        async with client_stream(mesh.stub.Talk, metadata=mesh.authority.user_metadata()) as stream:
            await numbers(stream)

    async with no_leaked_tasks():
        task = asyncio.create_task(talk())
        await until(lambda: mesh.servicer.sessions == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: mesh.servicer.sessions == 0)


async def test_offer_says_no_when_the_queue_is_full(mesh: EchoMesh) -> None:
    async with client_stream(mesh.stub.Talk, metadata=mesh.authority.user_metadata(), outbox=3) as stream:
        answers = [stream.offer(new_echo()) for _ in range(30)]
    # Within a process the first leaves at once; by a wire so do as many as the other side has room for.
    assert answers.index(False) in (3, 4, 3 + ON_THE_WAY)
    assert not any(answers[answers.index(False) :])


async def test_a_client_that_still_writes_meets_the_error_the_server_ended_with(mesh: EchoMesh) -> None:
    async def session(stream: Stream) -> None:
        await anext(stream)
        raise NotFoundError("There is no such conversation.")

    async def talk() -> None:
        async with client_stream(mesh.stub.Talk, metadata=mesh.authority.user_metadata()) as stream:
            while True:
                await stream.send(new_echo(sound=bytes(640)))

    mesh.servicer.session = session
    for _ in range(100):
        with pytest.raises(NotFoundError):
            await talk()
