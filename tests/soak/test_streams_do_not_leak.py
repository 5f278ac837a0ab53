"""Guards against grpc.aio's leaks: calls that were dropped, cancelled or abandoned must leave nothing behind.

grpc.aio 1.85 never ends a call whose object was dropped, and leaks a little for each call that is cancelled in flight.
The stream wrapper cancels in `finally` and half-closes on the normal path; this holds it to that.
"""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Final

import psutil
import pytest

from mesh.streams import client_stream
from mesh.testing import Authority, new_authority, no_leaked_tasks, serve, until
from tests.mesh_runtime.echo import EchoServicer, EchoStub, echo_service, new_echo
from tests.mesh_runtime.ways import WAYS, open_way

#: Allowed growth for each call: gRPC's own leak for a cancelled call is about 0.14 kB.
_CLEAN_BYTES: Final = 100
_CANCELLED_BYTES: Final = 400
_SHORT, _LONG = 300, 6_000


class Talker:
    """Holds one short talk after another, each ended in one way."""

    def __init__(self, stub: EchoStub, servicer: EchoServicer, authority: Authority) -> None:
        self._stub = stub
        self._metadata = authority.user_metadata()
        self.servicer = servicer

    async def clean(self) -> None:
        async with client_stream(self._stub.Talk, metadata=self._metadata) as stream:
            await stream.send(new_echo(sound=bytes(640)))
            await anext(stream)

    async def raising(self) -> None:
        async with client_stream(self._stub.Talk, metadata=self._metadata) as stream:
            await stream.send(new_echo(sound=bytes(640)))
            await anext(stream)
            raise KeyError

    async def until_cancelled(self, talking: asyncio.Event) -> None:
        async with client_stream(self._stub.Talk, metadata=self._metadata) as stream:
            await stream.send(new_echo(sound=bytes(640)))
            await anext(stream)
            talking.set()
            await asyncio.Event().wait()


async def _end_clean(talker: Talker) -> None:
    await talker.clean()


async def _end_by_exception(talker: Talker) -> None:
    with pytest.raises(KeyError):
        await talker.raising()


async def _end_by_cancellation(talker: Talker) -> None:
    talking = asyncio.Event()
    talk = asyncio.create_task(talker.until_cancelled(talking))
    await talking.wait()
    talk.cancel()
    await asyncio.wait((talk,))


@pytest.fixture(params=WAYS)
async def talker(request: pytest.FixtureRequest) -> AsyncIterator[Talker]:
    authority, servicer = new_authority(), EchoServicer()
    service = echo_service(servicer)
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(serve([service], authority))
        channel = await stack.enter_async_context(open_way(request.param, service, server.address, authority))
        yield Talker(EchoStub(channel), servicer, authority)


_ENDS = pytest.mark.parametrize("end", [_end_clean, _end_by_exception, _end_by_cancellation])


@_ENDS
async def test_a_few_hundred_streams_leave_no_session_and_no_task(
    talker: Talker, end: Callable[[Talker], Awaitable[None]]
) -> None:
    async with no_leaked_tasks():
        for _ in range(_SHORT):
            await end(talker)
        await until(lambda: talker.servicer.sessions == 0)


@pytest.mark.soak
@pytest.mark.timeout(600)
@_ENDS
async def test_thousands_of_streams_leave_no_session_no_task_and_little_memory(
    talker: Talker, end: Callable[[Talker], Awaitable[None]]
) -> None:
    async with no_leaked_tasks():
        for _ in range(_LONG // 3):
            await end(talker)
        before = _resident_bytes()
        for _ in range(_LONG):
            await end(talker)
        await until(lambda: talker.servicer.sessions == 0)
        allowed = _CLEAN_BYTES if end is _end_clean else _CANCELLED_BYTES
        grown = _resident_bytes() - before
        assert grown < _LONG * allowed


def _resident_bytes() -> int:
    gc.collect()
    resident: int = psutil.Process().memory_info().rss
    return resident
