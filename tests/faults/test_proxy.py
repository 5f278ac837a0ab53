import asyncio
import random
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest

from mesh.testing import no_leaked_tasks
from tests.faults.proxy import FaultProxy
from tests.faults.weather import DOWN, FAIR, MOBILE, TUNNEL, WIRELESS, Weather, changeable


@dataclass
class Echo:
    """A server that sends back what it gets, and remembers it in the pieces in which it came."""

    address: str = ""
    pieces: list[bytes] = field(default_factory=list)

    async def answer(self, reader: StreamReader, writer: StreamWriter) -> None:
        with suppress(ConnectionError):
            while piece := await reader.read(65_536):
                self.pieces.append(piece)
                writer.write(piece)
                await writer.drain()
        writer.close()


@pytest.fixture
async def echo() -> AsyncIterator[Echo]:
    found = Echo()
    async with await asyncio.start_server(found.answer, "127.0.0.1", 0) as server:
        found.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield found


@asynccontextmanager
async def connected(proxy: FaultProxy) -> AsyncIterator[tuple[StreamReader, StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def there_and_back(proxy: FaultProxy, sent: bytes) -> float:
    """Sends it, sees it come back as it was, and tells how long that took."""
    loop = asyncio.get_running_loop()
    async with connected(proxy) as (reader, writer):
        began_at = loop.time()
        writer.write(sent)
        assert await reader.readexactly(len(sent)) == sent
        return loop.time() - began_at


@pytest.mark.parametrize("weather", [FAIR, MOBILE, WIRELESS, Weather(slice_bytes=3)], ids=str)
async def test_in_every_weather_all_arrives_in_order(echo: Echo, weather: Weather) -> None:
    async with FaultProxy(echo.address) as proxy:
        proxy.weather = weather
        await there_and_back(proxy, random.Random(1).randbytes(2_000))


async def test_latency_is_added_each_way(echo: Echo) -> None:
    async with FaultProxy(echo.address) as proxy:
        proxy.weather = Weather(latency_s=0.05)
        assert await there_and_back(proxy, b"ping") >= 0.1


async def test_a_narrow_wire_takes_its_time_and_still_carries_much_at_once(echo: Echo) -> None:
    async with FaultProxy(echo.address) as proxy:
        proxy.weather = Weather(bytes_per_s=100_000)
        assert await there_and_back(proxy, bytes(20_000)) >= 0.2


async def test_the_same_seed_slices_alike(echo: Echo) -> None:
    async def slices(seed: int) -> list[bytes]:
        async with FaultProxy(echo.address, seed=seed) as proxy:
            proxy.weather = Weather(slice_bytes=50)
            return proxy._sliced(bytes(1_000))

    assert await slices(1) == await slices(1) != await slices(2)


async def test_what_falls_into_a_black_hole_arrives_when_that_is_over(echo: Echo) -> None:
    async with FaultProxy(echo.address) as proxy, connected(proxy) as (reader, writer):
        writer.write(b"before")
        assert await reader.readexactly(6) == b"before"
        proxy.weather = TUNNEL
        writer.write(b"within")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await reader.read(1)
        assert echo.pieces == [b"before"]
        proxy.weather = FAIR
        assert await reader.readexactly(6) == b"within"


async def test_a_cut_ends_what_is_connected_and_lets_nobody_connect(echo: Echo) -> None:
    async with FaultProxy(echo.address) as proxy:
        async with connected(proxy) as (reader, writer):
            writer.write(b"before")
            await reader.readexactly(6)
            proxy.weather = DOWN
            assert await ended(reader)
        async with connected(proxy) as (reader, _):
            assert await ended(reader)
        proxy.weather = FAIR
        await there_and_back(proxy, b"after")


async def test_a_wire_is_cut_once_after_so_many_bytes_of_answers(echo: Echo) -> None:
    async with FaultProxy(echo.address, cut_after=100, once=True) as proxy:
        async with connected(proxy) as (reader, writer):
            writer.write(bytes(1_000))
            with pytest.raises(asyncio.IncompleteReadError) as cut:
                await reader.readexactly(1_000)
            assert len(cut.value.partial) == 100
        assert proxy.has_cut
        await there_and_back(proxy, bytes(1_000))


async def test_a_goodbye_of_one_end_reaches_the_other(echo: Echo) -> None:
    async with FaultProxy(echo.address) as proxy, connected(proxy) as (reader, writer):
        writer.write(b"last words")
        writer.write_eof()
        assert await reader.read() == b"last words"


async def test_a_server_that_is_not_there_ends_the_connection() -> None:
    async with FaultProxy("127.0.0.1:1") as proxy, connected(proxy) as (reader, _):
        assert await ended(reader)


async def test_a_schedule_is_played_and_ends_in_fair_weather(echo: Echo) -> None:
    seen: list[Weather] = []
    async with no_leaked_tasks(), FaultProxy(echo.address) as proxy:
        schedule = changeable(random.Random(3), 2, longest_s=0.02)
        playing = asyncio.create_task(proxy.play(schedule))
        while not playing.done():
            if not seen or seen[-1] != proxy.weather:
                seen.append(proxy.weather)
            await asyncio.sleep(0)
        assert proxy.weather == FAIR
    assert [spell.weather for spell in schedule if spell.weather.cut] == [each for each in seen if each.cut]
    assert schedule == changeable(random.Random(3), 2, longest_s=0.02)


async def ended(reader: StreamReader) -> bool:
    """Whether the connection ended, in order or not."""
    try:
        async with asyncio.timeout(5):
            return await reader.read() == b""
    except ConnectionError:
        return True
