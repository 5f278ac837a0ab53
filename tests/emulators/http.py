"""A local HTTP/1.1 server that emulated vendors stand on, with each byte of an answer in its hand."""

import asyncio
from abc import abstractmethod
from contextlib import suppress
from dataclasses import dataclass

from tests.emulators.vendor import STATUS, Vendor, Visit

_HEAD = b"HTTP/1.1 %d x\r\ncontent-type: %s\r\n%s\r\n"


@dataclass(slots=True)
class Answer:
    """The answer to one request."""

    writer: asyncio.StreamWriter

    async def whole(self, body: bytes, *, status: int = 200, kind: str = "application/json", cut_at: int = -1) -> None:
        """Sends all of it, or breaks off at a byte."""
        self.writer.write(_HEAD % (status, kind.encode(), b"content-length: %d\r\n" % len(body)))
        self.writer.write(body[:cut_at] if cut_at >= 0 else body)
        await self.writer.drain()

    async def begin(self, kind: str) -> None:
        """Begins an answer in chunks."""
        self.writer.write(_HEAD % (200, kind.encode(), b"transfer-encoding: chunked\r\n"))
        await self.writer.drain()

    async def piece(self, body: bytes) -> None:
        """Sends the next chunk; an empty one ends the answer."""
        self.writer.write(b"%x\r\n%s\r\n" % (len(body), body))
        await self.writer.drain()


@dataclass(slots=True)
class HttpEmulator(Vendor):
    """A vendor behind HTTP."""

    _server: asyncio.Server | None = None

    @abstractmethod
    async def answer(self, visit: Visit, body: bytes, answer: Answer) -> bool:
        """Answers one request; False closes the connection."""

    async def listen(self) -> int:
        """Listens on a free port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def leave(self) -> None:
        """Is gone."""
        if (server := self._server) is None:
            return
        self._server = None
        server.close()
        for task in self.serving:
            task.cancel()
        await asyncio.gather(*self.serving, return_exceptions=True)
        await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A cancelled handler of a server is reported as an error, so the end of it is caught here.
        ended = suppress(asyncio.CancelledError, ConnectionError, asyncio.IncompleteReadError)
        with ended, self.stoppable(writer.transport):
            while await self._request(reader, writer):
                pass
        writer.close()

    async def _request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:] if line)}
        if self.behaviour == "deaf":
            await asyncio.sleep(30)
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        visit = Visit.of(lines[0].split()[1], headers)
        self.visits.append(visit)
        self.arrived.set()
        # What comes now is the end of the connection: nobody asks twice without waiting for the answer.
        gone = asyncio.create_task(reader.read(1))
        gone.add_done_callback(lambda task: None if task.cancelled() else visit.closed.set())
        try:
            return await self._answer(visit, body, Answer(writer))
        finally:
            gone.cancel()
            await asyncio.wait((gone,))

    async def _answer(self, visit: Visit, body: bytes, answer: Answer) -> bool:
        if self.behaviour in ("slow_open", "stall"):
            self.asked.set()
            await asyncio.sleep(30)
        wrong_key = visit.headers.get("authorization") != f"Bearer {self.key}"
        if status := STATUS.get(self.behaviour) or (401 if wrong_key else 0):
            await answer.whole(b'{"error": {"message": "no"}}', status=status)
            return True
        return await self.answer(visit, body, answer)
