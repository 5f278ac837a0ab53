"""A relay before a server that treats what goes through it as badly as a network can."""

import asyncio
import random
import ssl
from asyncio import StreamReader, StreamWriter
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

from cli.ports import split_address
from tests.faults.weather import FAIR, Schedule, Weather

_HOST: Final = "127.0.0.1"
_PIECE: Final = 65_536
#: Pieces on their way in one direction of one connection; with more, whoever sends has to wait.
_UNDER_WAY: Final = 256
#: A narrow wire passes on what fits through in this.
_TICK_S: Final = 0.01

_Pieces = asyncio.Queue[tuple[float, bytes]]


class FaultProxy:
    """Listens on a free port of 127.0.0.1 for the length of an `async with` block, and relays to `address`.

    `weather` may be changed at any moment, and holds for what is connected, too. Where `cut_after` is given, all is cut
    once so many bytes of answers went through; with `once` what connects after that is left alone. With `tls` clients
    speak TLS to it, and it speaks to `address` without.
    """

    def __init__(
        self,
        address: str,
        *,
        seed: int = 0,
        cut_after: int | None = None,
        once: bool = False,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.port = 0
        self.has_cut = False
        self._to = split_address(address)
        self._chance = random.Random(seed)
        self._left = cut_after
        self._once = once
        self._tls = tls
        self._weather = FAIR
        #: Seconds until now in which nothing went through, and since when nothing does.
        self._shut_s = 0.0
        self._shut_since: float | None = None
        self._passable = asyncio.Event()
        self._passable.set()
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        """Starts."""
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stops."""
        await self.stop()

    async def start(self) -> None:
        """Listens on `port`."""
        self._server = await asyncio.start_server(self._accept, _HOST, 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Cuts all, and is gone."""
        assert self._server is not None, "it was started"
        self._server.close()
        self.cut()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await self._server.wait_closed()

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"{_HOST}:{self.port}"

    @property
    def weather(self) -> Weather:
        """What happens on the wire now."""
        return self._weather

    @weather.setter
    def weather(self, weather: Weather) -> None:
        self._shut_s = self.shut_s()
        self._shut_since = _now() if weather.black_hole or weather.cut else None
        self._weather = weather
        if weather.black_hole:
            self._passable.clear()
        else:
            self._passable.set()
        if weather.cut:
            self.cut()

    def shut_s(self) -> float:
        """Seconds until now in which nothing went through."""
        return self._shut_s + (0.0 if self._shut_since is None else _now() - self._shut_since)

    def cut(self) -> None:
        """Aborts every connection there is, both ways, without a goodbye."""
        for connection in self._connections:
            connection.cancel()

    async def play(self, schedule: Schedule) -> None:
        """One weather after the other; in the end, a fair one."""
        try:
            for spell in schedule:
                self.weather = spell.weather
                await asyncio.sleep(spell.lasts_s)
        finally:
            self.weather = FAIR

    def _accept(self, reader: StreamReader, writer: StreamWriter) -> None:
        connection = asyncio.create_task(self._relay(reader, writer), name="faulty wire")
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)
        # Here, for one that is cut before it begins.
        connection.add_done_callback(lambda _: writer.transport.abort())

    async def _relay(self, reader: StreamReader, writer: StreamWriter) -> None:
        if self._weather.cut:
            return
        await self._passable.wait()
        try:
            theirs, ours = await asyncio.open_connection(*self._to)
        except OSError:
            return
        try:
            async with asyncio.TaskGroup() as ways:
                ways.create_task(self._way(reader, ours, answers=False))
                ways.create_task(self._way(theirs, writer, answers=True))
        except* OSError:
            pass  # One of the two ends is gone: so is the other, now.
        finally:
            ours.transport.abort()

    async def _way(self, reader: StreamReader, writer: StreamWriter, *, answers: bool) -> None:
        under_way: _Pieces = asyncio.Queue(_UNDER_WAY)
        async with asyncio.TaskGroup() as ends:
            ends.create_task(self._take(reader, under_way))
            ends.create_task(self._give(under_way, writer, answers=answers))

    async def _take(self, reader: StreamReader, under_way: _Pieces) -> None:
        """Notes of each piece when it is due; of the end, too, which is no bytes."""
        taken = b"all of them"
        while taken:
            taken = await reader.read(_PIECE)
            due_at = _now() + self._weather.latency_s + self._chance.uniform(0, self._weather.jitter_s)
            for piece in self._sliced(taken) if taken else (b"",):
                await under_way.put((due_at, piece))

    def _sliced(self, taken: bytes) -> list[bytes]:
        longest = self._weather.slice_bytes or _PIECE
        if self._weather.bytes_per_s is not None:
            longest = min(longest, max(1, int(self._weather.bytes_per_s * _TICK_S)))
        pieces, at = [], 0
        while at < len(taken):
            length = self._chance.randint(1, longest) if self._weather.slice_bytes else longest
            pieces.append(taken[at : at + length])
            at += length
        return pieces

    async def _give(self, under_way: _Pieces, writer: StreamWriter, *, answers: bool) -> None:
        """Passes the pieces on when they are due, one after another."""
        while True:
            due_at, piece = await under_way.get()
            await asyncio.sleep(max(0.0, due_at - _now()))
            if self._weather.bytes_per_s is not None:
                await asyncio.sleep(len(piece) / self._weather.bytes_per_s)
            await self._passable.wait()
            if not piece:
                with suppress(OSError):
                    if writer.can_write_eof():
                        writer.write_eof()
                    else:
                        writer.close()
                return
            writer.write(self._counted(piece) if answers else piece)
            await writer.drain()
            if answers and self._is_spent():
                self.has_cut = True
                raise ConnectionAbortedError

    def _counted(self, piece: bytes) -> bytes:
        if self._left is None or (self._once and self.has_cut):
            return piece
        passed = piece[: max(0, self._left)]
        self._left -= len(piece)
        return passed

    def _is_spent(self) -> bool:
        return self._left is not None and self._left <= 0 and not (self._once and self.has_cut)


def _now() -> float:
    return asyncio.get_running_loop().time()
