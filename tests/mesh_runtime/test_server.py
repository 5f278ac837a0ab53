"""Starting, draining and stopping a server."""

import asyncio
import os
import signal
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from mesh.channel import open_channel
from mesh.errors import UnavailableError
from mesh.server import MeshServer
from mesh.streams import DuplexStream, client_stream
from mesh.testing import new_authority, no_leaked_tasks, serve, until
from mesh.wire_errors import from_rpc_error
from tests.mesh_runtime.conftest import EchoMesh
from tests.mesh_runtime.echo import Echo, EchoServicer, EchoStub, echo_service, new_echo


async def test_the_address_is_the_one_really_bound(mesh: EchoMesh) -> None:
    host, port = mesh.server.address.split(":")
    assert host == "127.0.0.1"
    assert int(port) > 0


async def test_a_taken_port_is_an_error(mesh: EchoMesh) -> None:
    with pytest.raises(RuntimeError):
        async with MeshServer([], new_authority().verifier, address=mesh.server.address):
            pass


async def test_reflection_lists_the_services(mesh: EchoMesh) -> None:
    async with open_channel(mesh.server.address) as channel:
        call: Any = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(
            iter([reflection_pb2.ServerReflectionRequest(list_services="")])
        )
        names = [each.name async for answer in call for each in answer.list_services_response.service]
    assert "vivavoce.test.v1.EchoService" in names


async def test_draining_says_not_serving_then_goodbye_and_lets_open_streams_finish() -> None:
    authority, servicer = new_authority(), EchoServicer()
    told = asyncio.Event()
    health_at_goodbye: list[int] = []

    async def session(stream: DuplexStream[Echo, Echo]) -> None:
        await told.wait()
        await stream.send(new_echo(text="go away"))

    servicer.session = session
    async with serve([echo_service(servicer)], authority, drain_s=5) as server, open_channel(server.address) as channel:

        async def goodbye() -> None:
            health = health_pb2_grpc.HealthStub(channel)
            health_at_goodbye.append((await health.Check(health_pb2.HealthCheckRequest())).status)
            told.set()

        server.on_drain.append(goodbye)
        async with client_stream(EchoStub(channel).Talk, metadata=authority.user_metadata()) as stream:
            await until(lambda: servicer.sessions == 1)
            draining = asyncio.create_task(server.drain())
            assert (await anext(stream)).text == "go away"
            with pytest.raises(StopAsyncIteration):
                await anext(stream)
        await draining
        assert health_at_goodbye == [health_pb2.HealthCheckResponse.NOT_SERVING]
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await EchoStub(channel).Say(new_echo())
        assert isinstance(from_rpc_error(caught.value), UnavailableError)


async def test_a_drain_cancels_what_is_left_when_its_time_is_over_and_waits_for_the_clean_up() -> None:
    authority, servicer = new_authority(), EchoServicer()
    cleaned = False

    async def session(_: DuplexStream[Echo, Echo]) -> None:
        nonlocal cleaned
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.05)
            cleaned = True

    servicer.session = session
    async with (
        no_leaked_tasks(),
        serve([echo_service(servicer)], authority, drain_s=0.1) as server,
        open_channel(server.address) as channel,
        client_stream(EchoStub(channel).Talk, metadata=authority.user_metadata()) as stream,
    ):
        await until(lambda: servicer.sessions == 1)
        await server.drain()
        assert cleaned
        with pytest.raises(UnavailableError):
            await anext(stream)


async def test_a_goodbye_that_hangs_does_not_hold_the_drain() -> None:
    servicer = EchoServicer()
    async with asyncio.timeout(5), serve([echo_service(servicer)], new_authority(), drain_s=0.1) as server:
        server.on_drain.append(asyncio.Event().wait)  # type: ignore[arg-type]  # It never returns anything.


async def test_a_signal_drains_and_a_second_one_stops_at_once() -> None:
    authority, servicer = new_authority(), EchoServicer()

    async def session(_: DuplexStream[Echo, Echo]) -> None:
        await asyncio.Event().wait()

    servicer.session = session
    async with (
        no_leaked_tasks(),
        asyncio.timeout(10),
        serve([echo_service(servicer)], authority, drain_s=60) as server,
        open_channel(server.address) as channel,
    ):
        running = asyncio.create_task(server.run_until_signal(signal.SIGUSR1))
        async with client_stream(EchoStub(channel).Talk, metadata=authority.user_metadata()) as stream:
            await until(lambda: servicer.sessions == 1)
            os.kill(os.getpid(), signal.SIGUSR1)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(asyncio.shield(running), 0.2)
            assert servicer.sessions == 1
            os.kill(os.getpid(), signal.SIGUSR1)
            await running
            with pytest.raises(UnavailableError):
                await anext(stream)


async def test_a_second_signal_stops_at_once_also_while_goodbye_is_said() -> None:
    authority, servicer = new_authority(), EchoServicer()
    saying = asyncio.Event()

    async def goodbye() -> None:
        saying.set()
        await asyncio.Event().wait()

    async def session(_: DuplexStream[Echo, Echo]) -> None:
        await asyncio.Event().wait()

    servicer.session = session
    async with (
        asyncio.timeout(10),
        serve([echo_service(servicer)], authority, drain_s=60) as server,
        open_channel(server.address) as channel,
    ):
        server.on_drain.append(goodbye)
        running = asyncio.create_task(server.run_until_signal(signal.SIGUSR1))
        async with client_stream(EchoStub(channel).Talk, metadata=authority.user_metadata()) as stream:
            await until(lambda: servicer.sessions == 1)
            os.kill(os.getpid(), signal.SIGUSR1)
            await saying.wait()
            os.kill(os.getpid(), signal.SIGUSR1)
            await running
            with pytest.raises(UnavailableError):
                await anext(stream)


async def test_a_server_that_was_stopped_at_once_is_not_drained_when_it_is_left() -> None:
    async with asyncio.timeout(5), serve([echo_service(EchoServicer())], new_authority(), drain_s=60) as server:
        server.on_drain.append(asyncio.Event().wait)  # type: ignore[arg-type]  # It never returns anything.
        await server.stop_now()
