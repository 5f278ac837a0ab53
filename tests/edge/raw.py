"""A client that writes whatever bytes it is told to, and reads what comes until the end."""

import asyncio
import base64
import os
import struct
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from tests.edge.conftest import House


@dataclass
class Raw:
    """A bare connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        with suppress(ConnectionError):
            await self.writer.drain()

    async def rest(self, within_s: float = 20.0) -> bytes:
        """All that comes until the server closes.

        Raises:
            TimeoutError: it does not.
        """
        found = bytearray()
        async with asyncio.timeout(within_s):
            with suppress(ConnectionError):
                while chunk := await self.reader.read(65_536):
                    found += chunk
        return bytes(found)

    async def close_code(self) -> int:
        """The code of the close frame with which a socket ends; 0 where it ends without."""
        code = 0
        for opcode, payload in frames_of(await self.rest()):
            if opcode == 8:
                code = struct.unpack("!H", payload[:2])[0] if payload else 1005
        return code


@asynccontextmanager
async def connected(house: House) -> AsyncIterator[Raw]:
    reader, writer = await asyncio.open_connection("127.0.0.1", house.edge.port)
    try:
        yield Raw(reader, writer)
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


@asynccontextmanager
async def upgraded(house: House) -> AsyncIterator[Raw]:
    """A signed-in talking socket, opened by hand."""
    async with connected(house) as raw:
        await raw.send(handshake(house.signed_in))
        answer = await raw.reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 101"), answer
        yield raw


def handshake(headers: Mapping[str, str] | None = None, path: str = "/v1/converse") -> bytes:
    lines = [
        f"GET {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
        *(f"{name}: {value}" for name, value in (headers or {}).items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0, masked: bool = True) -> bytes:
    """A frame as a client writes it, or should not."""
    return head(opcode, len(payload), fin=fin, rsv=rsv, masked=masked) + (
        b"\x01\x02\x03\x04" + bytes(byte ^ (at % 4 + 1) for at, byte in enumerate(payload)) if masked else payload
    )


def head(opcode: int, length: int, *, fin: bool = True, rsv: int = 0, masked: bool = True) -> bytes:
    """The head of a frame that says it is `length` long."""
    first = (0x80 if fin else 0) | rsv << 4 | opcode
    mask = 0x80 if masked else 0
    if length < 126:
        return bytes([first, mask | length])
    if length < 65_536:
        return bytes([first, mask | 126]) + struct.pack("!H", length)
    return bytes([first, mask | 127]) + struct.pack("!Q", length)


def frames_of(data: bytes) -> list[tuple[int, bytes]]:
    """Opcode and payload of each frame a server sent."""
    found, at = [], 0
    while at + 2 <= len(data):
        opcode, length = data[at] & 15, data[at + 1] & 127
        at += 2
        if length >= 126:
            size = 2 if length == 126 else 8
            length = int.from_bytes(data[at : at + size])
            at += size
        found.append((opcode, data[at : at + length]))
        at += length
    return found
