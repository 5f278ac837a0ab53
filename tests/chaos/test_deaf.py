"""One of fifty clients reads nothing: it is let go in time, and the others wait no longer for their answers."""

import asyncio
import socket
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Final, TypeVar

import pytest
from vivavoce.conversation.v1 import conversation_service_pb2 as service_pb
from vivavoce.conversation.v1 import converse_pb2 as converse_pb
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.chaos.rows import row
from tests.chaos.talker import by_edge, new_guest
from tests.chaos.town import Town, town
from tests.services.conversation.learner import IN, OUT, Learner

T = TypeVar("T")

_OTHERS: Final = 49
_MEASURED_S: Final = 10.0
#: Each of the others asks so often; who reads nothing asks so often, so that what it is sent fills the wire.
_EVERY_S, _FLOOD_EVERY_S = 0.1, 0.001
_CLOSED_S: Final = 15.0
#: The least that the kernel keeps for who does not read; as it comes it keeps megabytes.
_KEPT_BYTES: Final = 4096
#: Beside the wait before: a machine that is busy with other tests.
_BUSY_MS: Final = 20.0


@pytest.mark.soak
@pytest.mark.timeout(240)
async def test_one_of_fifty_who_reads_nothing_is_let_go_and_the_others_wait_no_longer(tmp_path: Path) -> None:
    # Else it is shown the door for how much it asks.
    with town(tmp_path, {"VIVAVOCE_EDGE_MESSAGES_PER_S": "1000000"}) as found:
        for name in found.houses:
            await found.up(name)
        async with AsyncExitStack() as stack:
            others = [await stack.enter_async_context(_joined(found)) for _ in range(_OTHERS)]
            before, _ = await _waits_ms(others, asyncio.sleep(_MEASURED_S))
            deaf = await stack.enter_async_context(_deaf(found))
            during, closed_s = await _waits_ms(others, _ask_until_closed(deaf))
        assert found.dead() == []
    p99 = f"the others' p99 was {_p99(before):.0f} ms before it and {_p99(during):.0f} ms beside it"
    row(8, f"{p99}; it was closed {closed_s:.1f} s after it read last", f"1 of {_OTHERS + 1}, {len(during)} answers")
    assert closed_s <= _CLOSED_S
    assert _p99(during) <= 2 * _p99(before) + _BUSY_MS


@asynccontextmanager
async def _joined(found: Town) -> AsyncIterator[Learner]:
    metadata = await new_guest(found.addresses("user")[0])
    async with by_edge(found.addresses("edge")[0], metadata) as learner:
        await learner.start()
        yield learner


@asynccontextmanager
async def _deaf(found: Town) -> AsyncIterator[ClientConnection]:
    """A session of somebody who reads no more."""
    address = found.addresses("edge")[0]
    headers = dict(await new_guest(found.addresses("user")[0]))
    host, _, port = address.rpartition(":")
    with socket.socket() as small:
        small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _KEPT_BYTES)
        small.setblocking(False)
        await asyncio.get_running_loop().sock_connect(small, (host, int(port)))
        url = f"ws://{address}/v1/converse"
        async with connect(url, sock=small, additional_headers=headers, compression=None, proxy=None) as wire:
            start = converse_pb.StartSession(input_audio=IN, output_audio=OUT, client="test")
            start.new_conversation.SetInParent()
            await wire.send(service_pb.ConverseRequest(start_session=start).SerializeToString())
            await wire.recv()
            wire.transport.pause_reading()
            yield wire
            wire.transport.abort()


async def _ask_until_closed(deaf: ClientConnection) -> float:
    """Seconds until it was closed."""
    began_at = time.monotonic()
    ping = service_pb.ConverseRequest(ping=converse_pb.Ping(nonce=1 << 62)).SerializeToString()
    with suppress(ConnectionClosed):
        async with asyncio.timeout(4 * _CLOSED_S):
            while True:
                await deaf.send(ping)
                await asyncio.sleep(_FLOOD_EVERY_S)
    return time.monotonic() - began_at


async def _waits_ms(people: Sequence[Learner], while_: Awaitable[T]) -> tuple[list[float], T]:
    """What each waited for each answer while that lasts, and what came of it."""
    waits: list[float] = []
    over = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        for learner in people:
            tasks.create_task(_ask(learner, waits, over))
        outcome = await while_
        over.set()
    return waits, outcome


async def _ask(learner: Learner, waits: list[float], over: asyncio.Event) -> None:
    while not over.is_set():
        sent_at = time.perf_counter()
        await learner.send(ping=converse_pb.Ping())
        await learner.until("pong", within_s=30)
        waits.append((time.perf_counter() - sent_at) * 1000)
        await asyncio.sleep(_EVERY_S)


def _p99(waits: Sequence[float]) -> float:
    return statistics.quantiles(waits, n=100)[98]
