"""Calls that share a wire: what they must not notice of one another, and when they go without one.

What a single call does is tested in test_calls.py and test_streams.py, for calls of each way alike.
"""

import asyncio
from pathlib import Path

import grpc
import pytest
from vivavoce.mesh.v1 import wire_service_pb2 as wire_pb

from mesh.calls import Sessions
from mesh.channel import open_channel
from mesh.client_call import ON_THE_WAY
from mesh.errors import NotAllowedError, UnavailableError
from mesh.server import MeshServer, interceptors
from mesh.streams import DuplexStream, client_stream
from mesh.testing import new_authority, no_leaked_tasks, serve, until
from mesh.tls import host_name
from mesh.wire.post import Post, pace_s
from mesh.wire.wire_channel import WireChannel
from tests.mesh_runtime.conftest import EchoMesh
from tests.mesh_runtime.echo import Echo, EchoServicer, EchoStub, echo_service, new_echo
from tests.mesh_runtime.test_tls import Installation
from tests.mesh_runtime.ways import wired

Stream = DuplexStream[Echo, Echo]

by_wire = pytest.mark.parametrize("mesh", ["wire"], indirect=True)


def parcel(call: int, size: int = 0) -> wire_pb.Parcel:
    return wire_pb.Parcel(call=call, message=bytes(size))


async def departed(post: Post) -> list[int]:
    """The calls of which something departed."""
    return [each.call for each in await post.departure() or ()]


def least_held(channel: WireChannel) -> int:
    """The calls of the wire that the next one will go by."""
    wire = channel.wire()
    assert wire is not None
    return len(wire)


async def is_echoed(stream: Stream, number: int = 1) -> bool:
    await stream.send(new_echo(number=number))
    return bool((await anext(stream)).number == number)


async def test_what_is_said_soon_after_a_departure_leaves_together_and_not_before_its_time() -> None:
    post, loop = Post(lambda: 0.01), asyncio.get_running_loop()
    post.add(parcel(1))
    assert await departed(post) == [1]
    left_at = loop.time()
    post.add(parcel(2))
    post.add(parcel(3))
    assert await departed(post) == [2, 3]
    assert loop.time() - left_at > 0.005


async def test_sound_waits_for_company_only_as_far_as_there_is_some() -> None:
    assert pace_s(1) < 0.001
    assert pace_s(20) < pace_s(60) == pace_s(600) < 0.01


async def test_what_is_in_no_hurry_leaves_with_the_next_departure_or_soon_by_itself() -> None:
    post = Post(lambda: 0.01)
    post.add_unhurried(parcel(1))
    post.add(parcel(2))
    assert await departed(post) == [1, 2]
    post.add_unhurried(parcel(3))
    async with asyncio.timeout(5):
        assert await departed(post) == [3]


async def test_a_departure_is_not_larger_than_grpc_takes() -> None:
    post = Post(lambda: 0.01)
    for call in (1, 2, 3):
        post.add(parcel(call, size=400_000))
    post.close()
    assert [await departed(post) for _ in range(3)] == [[1], [2], [3]]
    assert await post.departure() is None


@by_wire
async def test_a_reader_that_stalls_holds_up_its_own_call_alone(mesh: EchoMesh) -> None:
    async def session(stream: Stream) -> None:
        async for message in stream:
            if message.text == "stalls":
                await released.wait()
            await stream.send(message)

    sent, released = 0, asyncio.Event()

    async def flood(stream: Stream) -> None:
        nonlocal sent
        while True:
            await stream.send(new_echo(text="stalls", sound=bytes(640)))
            sent += 1

    mesh.servicer.session, mesh.servicer.stalled_after_s = session, 60
    who = mesh.authority.user_metadata()
    async with (
        asyncio.timeout(20),
        client_stream(mesh.stub.Talk, metadata=who) as quick,
        client_stream(mesh.stub.Talk, metadata=who) as stalled,
    ):
        flooding = asyncio.create_task(flood(stalled))
        for number in range(1, 200):
            assert await is_echoed(quick, number)
        flooding.cancel()
        held_back = sent
        released.set()
    # All that waits is in the queues of its own call, on the way and at both ends.
    assert 0 < held_back < 64 + 2 * ON_THE_WAY + mesh.servicer.inbox + 4


@by_wire
async def test_a_deadline_ends_the_call_on_both_sides(mesh: EchoMesh) -> None:
    call = mesh.stub.Talk(metadata=mesh.authority.user_metadata(), timeout=0.2)
    await call.write(new_echo(number=1))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        async for _ in call:
            pass
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    await until(lambda: mesh.servicer.sessions == 0)


@by_wire
async def test_a_call_that_is_cancelled_before_it_was_answered_leaves_nothing(mesh: EchoMesh) -> None:
    assert isinstance(mesh.channel, WireChannel)
    wire = mesh.channel.wire()
    assert wire is not None
    for _ in range(20):
        mesh.stub.Talk(metadata=mesh.authority.user_metadata()).cancel()
    wire.retire()
    # The server ends it when it holds none of them any more.
    await until(lambda: isinstance(mesh.channel, WireChannel) and len(mesh.channel) == 0)
    assert mesh.servicer.sessions == 0


@by_wire
async def test_a_wire_that_breaks_ends_its_calls_as_unavailable(mesh: EchoMesh) -> None:
    async with client_stream(mesh.stub.Talk, metadata=mesh.authority.user_metadata()) as stream:
        assert await is_echoed(stream)
        await mesh.server.stop_now()
        with pytest.raises(UnavailableError):
            await anext(stream)
    assert mesh.servicer.sessions == 0


async def test_wires_share_the_calls() -> None:
    authority, servicer = new_authority(), EchoServicer()
    async with (
        serve([echo_service(servicer)], authority) as server,
        wired(server.address, authority, wires=2) as channel,
    ):
        who, talk = authority.user_metadata(), EchoStub(channel).Talk
        async with client_stream(talk, metadata=who) as first:
            assert await is_echoed(first)
            await until(lambda: least_held(channel) == 0)
            async with client_stream(talk, metadata=who) as second:
                assert await is_echoed(second)
                assert least_held(channel) == 1


@by_wire
async def test_a_wire_that_is_old_keeps_its_calls_and_takes_no_more(mesh: EchoMesh) -> None:
    assert isinstance(mesh.channel, WireChannel)
    channel, who = mesh.channel, mesh.authority.user_metadata()
    async with client_stream(mesh.stub.Talk, metadata=who) as stream:
        assert await is_echoed(stream, 1)
        old = channel.wire()
        assert old is not None
        old.retire()
        await until(lambda: channel.wire() is not None)
        async with (
            client_stream(mesh.stub.Talk, metadata=who) as second,
            client_stream(mesh.stub.Talk, metadata=who) as third,
        ):
            assert await is_echoed(second)
            assert await is_echoed(third)
            assert len(old) == 1
        assert await is_echoed(stream, 2)
    await until(lambda: len(channel) == 1)


async def test_a_drain_waits_for_the_calls_of_a_wire_and_not_for_the_wire() -> None:
    authority, servicer = new_authority(), EchoServicer()
    leave = asyncio.Event()

    async def session(stream: Stream) -> None:
        await leave.wait()
        await stream.send(new_echo(text="goodbye"))

    servicer.session = session
    async with (
        asyncio.timeout(10),
        no_leaked_tasks(),
        serve([echo_service(servicer)], authority, drain_s=60) as server,
        wired(server.address, authority) as channel,
        client_stream(EchoStub(channel).Talk, metadata=authority.user_metadata()) as stream,
    ):
        await until(lambda: servicer.sessions == 1)
        draining = asyncio.create_task(server.drain())
        await until(lambda: channel.wire() is None)
        assert servicer.sessions == 1
        leave.set()
        assert (await anext(stream)).text == "goodbye"
        await draining


async def test_a_server_that_knows_no_wires_is_called_without() -> None:
    authority = new_authority()
    server = grpc.aio.server(interceptors=interceptors([], authority.verifier, Sessions()))
    echo_service(EchoServicer()).register(server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    plain = open_channel(f"127.0.0.1:{port}")
    async with WireChannel(plain, lambda: authority.service_metadata("conversation"), wires=1) as channel:
        for _ in range(3):
            async with client_stream(EchoStub(channel).Talk, metadata=authority.user_metadata()) as stream:
                assert await is_echoed(stream)
        await until(lambda: len(channel) == 0)
        assert channel.wire() is None
        # It is not asked again with every call.
        assert len(channel) == 0
    await server.stop(None)


async def test_who_may_hold_no_wire_calls_without() -> None:
    authority = new_authority()
    async with (
        serve([echo_service(EchoServicer())], authority) as server,
        WireChannel(open_channel(server.address), lambda: authority.service_metadata("media"), wires=1) as channel,
    ):
        assert channel.wire() is None
        await until(lambda: len(channel) == 0)
        async with client_stream(EchoStub(channel).Talk, metadata=authority.user_metadata()) as stream:
            assert await is_echoed(stream)


@pytest.mark.parametrize(("service", "admitted"), [("conversation", True), ("edge", False)])
async def test_each_call_of_a_wire_is_made_by_who_showed_their_certificate(
    tmp_path: Path, service: str, *, admitted: bool
) -> None:
    installation, authority = Installation(tmp_path), new_authority()
    server = MeshServer(
        [echo_service(EchoServicer())], authority.verifier, tls=installation.give("history"), notice_s=0
    )
    async with server:
        plain = open_channel(server.address, tls=installation.give(service), host=host_name("history"))
        async with WireChannel(plain, tuple, wires=1) as channel:
            await until(lambda: channel.wire() is not None)
            async with client_stream(EchoStub(channel).TalkInside) as stream:
                if admitted:
                    assert await is_echoed(stream)
                else:
                    with pytest.raises(NotAllowedError):
                        await is_echoed(stream)
