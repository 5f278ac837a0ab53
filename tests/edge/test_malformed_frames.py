"""A socket that breaks the protocol is closed with the right code, its session ends, and nothing of it is left."""

import asyncio
import struct
from collections.abc import Callable

import psutil
import pytest

from mesh.testing import no_leaked_tasks, until
from tests.edge.conftest import House, Session, ping, sound, start
from tests.edge.raw import Raw, connected, frame, handshake, head, upgraded
from tests.edge.scripts import wait_for_ever

CONT, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
START = frame(BINARY, start().SerializeToString())


async def send_for_ever(raw: Raw, data: bytes) -> None:
    while True:
        raw.writer.write(data)
        await raw.writer.drain()


MALFORMED: dict[str, tuple[bytes, int]] = {
    "unmasked": (START + frame(BINARY, b"\x6a\x00", masked=False), 1002),
    "first bit reserved": (START + frame(BINARY, ping(1), rsv=4), 1002),
    "second bit reserved": (START + frame(BINARY, ping(1), rsv=2), 1002),
    "third bit reserved": (START + frame(TEXT, b"{}", rsv=1), 1002),
    "reserved data opcode": (START + frame(3), 1002),
    "reserved control opcode": (START + frame(11), 1002),
    "control frame too long": (START + frame(PING, bytes(126)), 1002),
    "control frame in pieces": (START + frame(PING, b"a", fin=False), 1002),
    "continuation of nothing": (START + frame(CONT, b"a"), 1002),
    "new message within a message": (START + frame(BINARY, b"a", fin=False) + frame(BINARY, b"b"), 1002),
    "close frame of one byte": (START + frame(CLOSE, b"\x03"), 1002),
    "close code that may not be sent": (START + frame(CLOSE, struct.pack("!H", 1005)), 1002),
    "close code out of range": (START + frame(CLOSE, struct.pack("!H", 99)), 1002),
    "close reason that is not UTF-8": (START + frame(CLOSE, struct.pack("!H", 1000) + b"\xff"), 1007),
    "close within a message": (START + frame(BINARY, b"a", fin=False) + frame(CLOSE, struct.pack("!H", 1000)), 1002),
    "text that is not UTF-8": (START + frame(TEXT, b"\xff\xfe"), 1007),
    "text whose pieces are not UTF-8": (START + frame(TEXT, b"\xe2\x82", fin=False) + frame(CONT, b"\x20"), 1007),
    "too large as declared": (START + head(BINARY, 2**62), 1009),
    "too large really": (START + frame(BINARY, bytes(200_000)), 1009),
    "too large in pieces": (START + frame(BINARY, bytes(90_000), fin=False) + frame(CONT, bytes(90_000)), 1009),
    "too many empty pieces": (START + frame(BINARY, b"a", fin=False) + frame(CONT, fin=False) * 5_000, 1009),
    "no message of ours": (START + frame(BINARY, b"\xff\xff\xff"), 4400),
    "half a message of ours": (START + frame(BINARY, ping(1)[:-1]), 4400),
    "JSON of another message": (START + frame(TEXT, b'{"pinng": {}}'), 4400),
    "empty text": (START + frame(TEXT), 4400),
    "first message of no kind of ours": (frame(BINARY, b"\xff"), 4400),
    "far too many frames": (START + frame(BINARY, sound(0, b"").SerializeToString()) * 10_000, 4429),
}


@pytest.mark.parametrize("case", MALFORMED)
async def test_what_breaks_the_protocol_closes_with_its_code(
    house: House, case: str, caplog: pytest.LogCaptureFixture
) -> None:
    data, code = MALFORMED[case]
    house.conversations.script = wait_for_ever
    async with no_leaked_tasks(5.0):
        async with upgraded(house) as raw:
            await raw.send(data)
            assert await raw.close_code() == code
        await until(lambda: house.conversations.live == 0)
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_ten_thousand_tiny_frames_are_refused_however_they_follow_each_other(house: House) -> None:
    async def listen(session: Session) -> None:
        async for _ in session:
            pass

    house.conversations.script = listen
    async with upgraded(house) as raw:
        await raw.send(START)
        for at in range(10_000):
            raw.writer.write(frame(BINARY, sound(at, b"\x00\x00").SerializeToString()))
        assert await raw.close_code() == 4429


async def test_pings_between_the_pieces_of_a_message_are_fine(house: House) -> None:
    seen: list[str | None] = []

    async def note(session: Session) -> None:
        seen.extend([request.WhichOneof("event") async for request in session])

    house.conversations.script = note
    message = start().SerializeToString()
    async with upgraded(house) as raw:
        await raw.send(frame(BINARY, message[:5], fin=False) + frame(PING, b"a") + frame(CONT, message[5:]))
        await raw.send(frame(PONG, b"nobody asked") + frame(CLOSE, struct.pack("!H", 1000)))
        assert await raw.close_code() == 1000
    async with asyncio.timeout(5):
        await house.conversations.ended.wait()
    assert seen == ["start_session"]


async def test_a_flood_of_pings_whose_answers_nobody_reads_is_cut(house: House) -> None:
    house.conversations.script = wait_for_ever
    flood = frame(PING, bytes(125)) * 500
    async with upgraded(house) as raw:
        raw.writer.transport.pause_reading()  # type: ignore[attr-defined]  # A TCP transport can.
        await raw.send(START)
        async with asyncio.timeout(30):
            with pytest.raises(ConnectionError):
                await send_for_ever(raw, flood)


@pytest.mark.parametrize("change", ["no key", "old version", "long header", "many headers"])
async def test_a_handshake_that_is_none_is_answered_and_closed(house: House, change: str) -> None:
    changes: dict[str, Callable[[bytes], bytes]] = {
        "no key": lambda good: good.replace(b"Sec-WebSocket-Key", b"X-Key"),
        "old version": lambda good: good.replace(b"Version: 13", b"Version: 8"),
        "long header": lambda good: good.replace(b"\r\n\r\n", b"\r\nX-Long: " + b"a" * 9_000 + b"\r\n\r\n"),
        "many headers": lambda good: good.replace(b"\r\n\r\n", b"\r\nX: y" * 100 + b"\r\n\r\n"),
    }
    async with connected(house) as raw:
        await raw.send(changes[change](handshake(house.signed_in)))
        assert (await raw.rest()).startswith(b"HTTP/1.1 4")


async def test_broken_sockets_leave_no_descriptor_behind(house: House) -> None:
    async def break_one(data: bytes) -> Raw:
        async with upgraded(house) as raw:
            await raw.send(data)
            await raw.close_code()
        return raw

    house.conversations.script = wait_for_ever
    await break_one(MALFORMED["unmasked"][0])
    process = psutil.Process()
    before = process.num_fds()
    for data, _ in list(MALFORMED.values())[:15]:
        await break_one(data)
    await until(lambda: process.num_fds() <= before)
