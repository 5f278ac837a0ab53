"""Channels: balancing, repeating, TLS."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import grpc
import pytest

from mesh.channel import open_channel
from mesh.errors import UnavailableError
from mesh.server import MeshServer
from mesh.testing import new_authority, serve
from mesh.wire_errors import from_rpc_error
from tests.mesh_runtime.echo import NAME, EchoServicer, EchoStub, echo_service, new_echo


class Counting(EchoServicer):
    """Counts its answers, and fails the first few."""

    def __init__(self, failing: int = 0) -> None:
        super().__init__()
        self.answers = 0
        self._failing = failing

    async def say(self, request: object, _: object) -> object:
        self.answers += 1
        if self.answers <= self._failing:
            raise UnavailableError("The kettle is cold; try again.")
        return request


@pytest.fixture
async def two_servers() -> AsyncIterator[tuple[list[Counting], list[MeshServer]]]:
    servicers = [Counting(), Counting()]
    async with AsyncExitStack() as stack:
        servers = [
            await stack.enter_async_context(serve([echo_service(servicer)], new_authority(), notice_s=0.1))
            for servicer in servicers
        ]
        yield servicers, servers


def several(servers: list[MeshServer]) -> str:
    return "ipv4:" + ",".join(server.address for server in servers)


async def test_several_addresses_are_taken_in_turn(two_servers: tuple[list[Counting], list[MeshServer]]) -> None:
    servicers, servers = two_servers
    async with open_channel(several(servers)) as channel:
        stub = EchoStub(channel)
        while not all(servicer.answers for servicer in servicers):
            await stub.Say(new_echo(), timeout=5)
        for servicer in servicers:
            servicer.answers = 0
        for _ in range(20):
            await stub.Say(new_echo(), timeout=5)
    assert [servicer.answers for servicer in servicers] == [10, 10]


async def test_a_server_that_drains_is_left_out_and_no_call_fails(
    two_servers: tuple[list[Counting], list[MeshServer]],
) -> None:
    servicers, servers = two_servers
    async with open_channel(several(servers), services=[NAME]) as channel:
        stub = EchoStub(channel)
        while not all(servicer.answers for servicer in servicers):
            await stub.Say(new_echo(), timeout=5)
        draining = asyncio.create_task(servers[0].drain())
        for _ in range(50):
            await stub.Say(new_echo(), timeout=5)
        await draining
        before = servicers[0].answers
        for _ in range(10):
            await stub.Say(new_echo(), timeout=5)
    assert servicers[0].answers == before


async def test_a_repeatable_call_is_repeated_when_unavailable() -> None:
    servicer = Counting(failing=2)
    async with (
        serve([echo_service(servicer)], new_authority()) as server,
        open_channel(server.address, services=[NAME]) as channel,
    ):
        assert (await EchoStub(channel).Say(new_echo(number=4), timeout=5)).number == 4
    assert servicer.answers == 3


async def test_a_call_the_contract_does_not_call_repeatable_is_sent_once() -> None:
    servicer = Counting(failing=2)
    async with (
        serve([echo_service(servicer)], new_authority()) as server,
        open_channel(server.address, services=[NAME]) as channel,
    ):
        with pytest.raises(grpc.aio.AioRpcError):
            await EchoStub(channel).Planned(new_echo(), timeout=5)
        say_without_policy = open_channel(server.address)
        async with say_without_policy:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await EchoStub(say_without_policy).Say(new_echo(), timeout=5)
        assert isinstance(from_rpc_error(caught.value), UnavailableError)
    assert servicer.answers == 1


async def test_a_service_that_is_away_is_unavailable_at_once() -> None:
    async with open_channel("127.0.0.1:1") as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await EchoStub(channel).Say(new_echo(), timeout=5)
    error = from_rpc_error(caught.value)
    assert isinstance(error, UnavailableError)
    assert error.reason == "SERVICE_UNAVAILABLE"
