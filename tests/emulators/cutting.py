"""A relay before a server that cuts the connection after so many bytes of its answers."""

import asyncio
from contextlib import suppress

_PIECE = 65_536


class Cutter:
    """Listens on a free port, passes bytes both ways, and aborts both ways at the n-th byte from the server.

    With `once` connections that are opened after that are left alone.
    """

    def __init__(self, port: int, after: int, *, once: bool = False) -> None:
        self._port = port
        self._left = after
        self._once = once
        self.has_cut = False
        self._server: asyncio.Server | None = None
        self._pumps: set[asyncio.Task[None]] = set()

    async def start(self) -> int:
        """Listens; gives the port."""
        self._server = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def cut(self) -> None:
        """Aborts every connection there is now; new ones are let through."""
        for pump in self._pumps:
            pump.cancel()

    async def stop(self) -> None:
        """Is gone."""
        if self._server is not None:
            self._server.close()
            for pump in self._pumps:
                pump.cancel()
            await asyncio.gather(*self._pumps, return_exceptions=True)
            await self._server.wait_closed()

    @property
    def _spares(self) -> bool:
        return self._once and self.has_cut

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            theirs, ours = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            writer.transport.abort()
            return
        pumps = {
            asyncio.create_task(self._pump(reader, ours, counted=False)),
            asyncio.create_task(self._pump(theirs, writer, counted=True)),
        }
        self._pumps |= pumps
        _, going = await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for pump in going:
            pump.cancel()
        await asyncio.wait(pumps)
        self._pumps -= pumps
        writer.transport.abort()
        ours.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, counted: bool) -> None:
        with suppress(ConnectionError):
            while given := await reader.read(_PIECE):
                if counted and not self._spares:
                    given, self._left = given[: self._left], self._left - len(given)
                writer.write(given)
                await writer.drain()
                if counted and not self._spares and self._left <= 0:
                    self.has_cut = True
                    return
