"""What a client may count on for a call, over a socket and within the process alike."""

import asyncio
from contextvars import ContextVar
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from mesh.deadlines import deadline_s
from mesh.errors import ExhaustedError, InvalidFieldError
from mesh.identity import Caller, as_caller
from mesh.streams import DuplexStream, client_stream
from mesh.testing import no_leaked_tasks, until
from mesh.wire_errors import from_rpc_error
from tests.mesh_runtime.conftest import EchoMesh
from tests.mesh_runtime.echo import Echo, EchoStub, new_echo

_secret: ContextVar[str] = ContextVar("secret", default="")


async def test_a_stream_of_responses_is_read_to_its_end(mesh: EchoMesh) -> None:
    assert [answer.number async for answer in mesh.stub.Count(new_echo(number=50))] == list(range(50))


async def test_requests_may_come_from_an_iterator(mesh: EchoMesh) -> None:
    requests = [new_echo(number=number) for number in range(40)]
    answers = mesh.stub.Talk(iter(requests), metadata=mesh.authority.user_metadata())
    assert [answer.number async for answer in answers] == list(range(40))


async def test_neither_side_sees_what_the_other_changes_later(mesh: EchoMesh) -> None:
    seen: list[Echo] = []

    async def session(stream: DuplexStream[Echo, Echo]) -> None:
        async for message in stream:
            seen.append(message)
            await stream.send(message)

    mesh.servicer.session = session
    sent = new_echo(number=1)
    async with client_stream(mesh.stub.Talk, metadata=mesh.authority.user_metadata()) as stream:
        await stream.send(sent)
        received = await anext(stream)
        sent.number = received.number = 2
        assert seen[0].number == 1


async def test_a_handler_knows_nothing_of_what_surrounds_its_client(mesh: EchoMesh) -> None:
    found: list[str] = []

    async def session(_: DuplexStream[Echo, Echo]) -> None:
        found.append(_secret.get())

    mesh.servicer.session = session
    _secret.set("of the client")
    async with client_stream(mesh.stub.Talk, metadata=mesh.authority.user_metadata()) as stream:
        assert [message async for message in stream] == []
    with as_caller(Caller(user_id="usr_other")), pytest.raises(grpc.aio.AioRpcError) as caught:
        await mesh.stub.SayMine(new_echo())
    assert found == [""]
    assert from_rpc_error(caught.value).reason == "TOKEN_MISSING"


async def test_the_deadline_of_the_client_is_the_handlers(mesh: EchoMesh) -> None:
    left: list[float] = []

    async def session(_: DuplexStream[Echo, Echo]) -> None:
        left.append(deadline_s(60))

    mesh.servicer.session = session
    call = mesh.stub.Talk(metadata=mesh.authority.user_metadata(), timeout=3)
    await call.done_writing()
    assert await call.code() is grpc.StatusCode.OK
    assert 1 < left[0] < 3.2  # gRPC rounds it up on the way.


async def test_a_cancelled_unary_call_ends_its_handler(mesh: EchoMesh) -> None:
    async with no_leaked_tasks():
        waiting = asyncio.ensure_future(mesh.stub.Wait(new_echo()))
        await until(lambda: mesh.servicer.sessions == 1)
        waiting.cancel()
        await until(lambda: mesh.servicer.sessions == 0)


async def test_a_method_nobody_serves_is_refused(mesh: EchoMesh) -> None:
    nowhere: Any = mesh.channel.unary_unary(
        "/vivavoce.test.v1.EchoService/Nowhere",
        request_serializer=lambda _: b"",
        response_deserializer=lambda data: data,
    )
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await nowhere(b"", timeout=5)
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_bytes_that_are_no_message_are_refused(mesh: EchoMesh) -> None:
    talk: Any = mesh.channel.stream_stream(
        "/vivavoce.test.v1.EchoService/Talk",
        request_serializer=lambda data: data,
        response_deserializer=lambda data: data,
    )
    async with client_stream(talk, metadata=mesh.authority.user_metadata()) as stream:
        await stream.send(b"\xff\xff\xff")
        with pytest.raises(InvalidFieldError):
            await anext(stream)


async def test_a_message_beyond_the_limit_ends_a_stream(mesh: EchoMesh) -> None:
    async with client_stream(mesh.stub.Talk, metadata=mesh.authority.user_metadata()) as stream:
        await stream.send(new_echo(sound=bytes(10_000_000)))
        with pytest.raises(ExhaustedError):
            await anext(stream)


async def test_a_message_beyond_the_limit_ends_a_unary_call(mesh: EchoMesh) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await mesh.stub.Wait(new_echo(sound=bytes(10_000_000)))
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert mesh.servicer.sessions == 0


async def test_health_can_be_asked(mesh: EchoMesh) -> None:
    answer = await health_pb2_grpc.HealthStub(mesh.channel).Check(health_pb2.HealthCheckRequest())
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_closing_the_channel_ends_the_calls_still_open(mesh: EchoMesh) -> None:
    call = mesh.stub.Talk(metadata=mesh.authority.user_metadata())
    await call.write(new_echo())
    await until(lambda: mesh.servicer.sessions == 1)
    await mesh.channel.close()
    await until(lambda: mesh.servicer.sessions == 0)
    assert await call.code() in {grpc.StatusCode.CANCELLED, grpc.StatusCode.UNAVAILABLE}


async def test_many_calls_at_once_do_not_mix(mesh: EchoMesh) -> None:
    async def talk(stub: EchoStub, number: int) -> list[int]:
        async with client_stream(stub.Talk, metadata=mesh.authority.user_metadata()) as stream:
            for _ in range(20):
                await stream.send(new_echo(number=number))
            await stream.done_sending()
            return [message.number async for message in stream]

    async with no_leaked_tasks():
        heard = await asyncio.gather(*(talk(mesh.stub, number) for number in range(30)))
    assert heard == [[number] * 20 for number in range(30)]
