"""Who is silent, slow or too large is shown the door; who is not does not notice."""

import asyncio
import json
import socket
import statistics
import time
from contextlib import AsyncExitStack

import psutil
import pytest

from edge.http_protocol import MAX_HEAD_BYTES
from mesh.testing import no_leaked_tasks, until
from tests.edge.conftest import House, answer, open_house, ping, start
from tests.edge.raw import Raw, connected, frame, handshake, upgraded
from tests.edge.scripts import Flood, echo_pings, wait_for_ever

REQUEST = b"POST /v1/guests HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
HALVES = {
    "nothing": b"",
    "half a request line": b"GET /hea",
    "half a head": b"GET /healthz HTTP/1.1\r\nHost: 127.0",
    "half a body": REQUEST + b'Content-Length: 100\r\n\r\n{"client": ',
    "half a body in chunks": REQUEST + b'Transfer-Encoding: chunked\r\n\r\n5\r\n{"cli\r\n',
    "a body nobody waits for": b"GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\nabc",
    "half a handshake": handshake()[:-30],
    "half a TLS handshake": b"\x16\x03\x01\x02\x00\x01",
}


@pytest.mark.parametrize("half", HALVES)
async def test_whoever_stops_halfway_is_closed(half: str) -> None:
    async with open_house(head_within_s=0.3, body_within_s=0.3) as house, no_leaked_tasks(), connected(house) as raw:
        await raw.send(HALVES[half])
        await raw.rest(within_s=10)


async def test_whoever_is_late_is_told() -> None:
    async with open_house(head_within_s=0.2, body_within_s=0.2) as house:
        for half in ("half a head", "half a body"):
            async with connected(house) as raw:
                await raw.send(HALVES[half])
                head, _, body = (await raw.rest(within_s=10)).partition(b"\r\n\r\n")
                assert head.startswith(b"HTTP/1.1 408 ")
                assert b"content-security-policy" in head
                assert json.loads(body)["details"][0]["debug"]["reason"] == "DEADLINE"


async def test_a_head_that_comes_drop_by_drop_has_no_more_time_than_one_that_does_not() -> None:
    async with open_house(head_within_s=0.5) as house, connected(house) as raw:
        began_at = time.monotonic()
        dripping = asyncio.create_task(drip(raw))
        await raw.rest(within_s=10)
        dripping.cancel()
        assert time.monotonic() - began_at < 5


async def test_a_connection_is_not_kept_alive_by_empty_lines() -> None:
    async with open_house(head_within_s=0.3) as house, connected(house) as raw:
        await raw.send(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        await raw.reader.readuntil(b"}")
        await raw.send(b"\r\n")
        await raw.rest(within_s=5)


async def test_a_slow_but_steady_body_gets_through() -> None:
    async with open_house(body_within_s=0.5) as house, connected(house) as raw:
        body = b'{"client": "' + b" " * 60_000 + b'curl"}'
        await raw.send(REQUEST + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body))
        for at in range(0, len(body), 10_000):
            await raw.send(body[at : at + 10_000])
            await asyncio.sleep(0.15)
        # Its client's name is too long, which only the whole body tells.
        assert (await raw.rest()).startswith(b"HTTP/1.1 ")


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /" + b"a" * MAX_HEAD_BYTES + b" HTTP/1.1\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * MAX_HEAD_BYTES + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 10 * MAX_HEAD_BYTES, 431),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 65 + b"\r\n", 431),
        (b"NONSENSE\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (REQUEST + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\n{\r\n" * 1_000_000, 413),
        (REQUEST + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: " + b"a" * 5_000_000, 413),
    ],
    ids=["url", "header", "endless header", "many", "nonsense", "tls", "length", "both lengths", "chunks", "trailer"],
)
async def test_what_is_too_large_or_no_request_is_refused(house: House, request_: bytes, status: int) -> None:
    async with connected(house) as raw:
        await raw.send(request_)
        assert (await raw.rest()).startswith(b"HTTP/1.1 %d " % status)


async def test_more_requests_ahead_than_a_client_needs_are_refused(house: House) -> None:
    async with connected(house) as raw:
        await raw.send(b"GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n" * 1000)
        assert (await raw.rest()).count(b"HTTP/1.1 ") < 100


async def test_a_late_request_never_writes_into_the_answer_to_the_one_before() -> None:
    async with open_house(head_within_s=0.2, body_within_s=0.2) as house, connected(house) as raw:
        house.users.delay_s = 0.6
        token = house.signed_in["authorization"].encode()
        first = b"GET /v1/users/me HTTP/1.1\r\nHost: a\r\nAuthorization: " + token + b"\r\n\r\n"
        await raw.send(first + HALVES["half a body"])
        # It closes before the first answer is there: what comes may be nothing, but not the wrong answer.
        assert b"408" not in await raw.rest()


async def test_whoever_does_not_read_a_download_is_cut() -> None:
    async with open_house(stalled_after_s=0.5) as house:
        house.media.pieces = [bytes(60_000)] * 1_000
        async with connected(house) as raw:
            raw.writer.transport.pause_reading()  # type: ignore[attr-defined]  # A TCP transport can.
            token = house.signed_in["authorization"].encode()
            path = b"/v1/recordings/rec_1:download?track=TRACK_LEARNER"
            await raw.send(b"GET " + path + b" HTTP/1.1\r\nHost: a\r\nAuthorization: " + token + b"\r\n\r\n")
            async with asyncio.timeout(10):
                await house.media.ended.wait()


async def test_a_client_that_reads_nothing_is_let_go_although_all_it_was_sent_fits_into_buffers() -> None:
    async with open_house(stalled_after_s=1.0) as house, no_leaked_tasks(5.0):
        house.conversations.script = wait_for_ever
        deaf = await house.socket()
        await deaf.send(start().SerializeToString())
        await house.conversations.began.wait()
        deaf.transport.pause_reading()
        async with asyncio.timeout(8):
            await house.conversations.ended.wait()
        deaf.transport.abort()


async def test_a_client_that_reads_slowly_is_not_let_go() -> None:
    async with open_house(stalled_after_s=2.0) as house:
        house.conversations.script = Flood(piece_bytes=4_000)
        with socket.socket() as wire:
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            wire.connect(("127.0.0.1", house.edge.port))
            async with house.socket(sock=wire, max_queue=1) as slow:
                await slow.send(start().SerializeToString())
                ends_at = time.monotonic() + 3.5
                while time.monotonic() < ends_at:
                    await slow.recv()
                    await asyncio.sleep(0.1)
                slow.transport.abort()


async def test_the_server_leaves_beside_a_client_that_said_goodbye_and_reads_nothing() -> None:
    async with asyncio.timeout(15), AsyncExitStack() as clients:
        async with open_house() as house:
            house.conversations.script = flood = Flood()
            raw = await clients.enter_async_context(upgraded(house))
            raw.writer.transport.pause_reading()  # type: ignore[attr-defined]  # A TCP transport can.
            await raw.send(frame(2, start().SerializeToString()))
            await flood.stuck.wait()
            await raw.send(frame(8, b"\x03\xe8"))
            await house.conversations.ended.wait()
        assert house.conversations.live == 0


async def test_half_a_thousand_half_open_connections_are_closed_while_a_session_goes_on() -> None:
    """With the deadlines people get. The bound on the session's wait is loose: this machine may be busy."""
    process = psutil.Process()
    async with open_house(max_connections=600, max_connections_per_address=600) as house, no_leaked_tasks(5.0):
        house.conversations.script = echo_pings
        before = process.num_fds()
        async with house.socket() as talking, AsyncExitStack() as crowd:
            await talking.send(start().SerializeToString())
            opening = [crowd.enter_async_context(connected(house)) for _ in range(500)]
            half_open = [await each for each in opening]
            began_at = time.monotonic()
            await asyncio.gather(
                *(raw.send(list(HALVES.values())[number % len(HALVES)]) for number, raw in enumerate(half_open))
            )
            ended = asyncio.gather(*(raw.rest(within_s=60) for raw in half_open))
            waits_ms = []
            nonce = 0
            while not ended.done():
                sent_at = time.perf_counter()
                await talking.send(ping(nonce))
                assert (await answer(talking)).pong.nonce == nonce
                waits_ms.append((time.perf_counter() - sent_at) * 1000)
                nonce += 1
                await asyncio.sleep(0.02)
            await ended
            took_s = time.monotonic() - began_at
        await until(lambda: process.num_fds() < before + 10)
    assert 5 < took_s < 15
    assert percentile(waits_ms) < 500


def percentile(values: list[float]) -> float:
    return statistics.quantiles(values, n=100)[98]


async def drip(raw: Raw) -> None:
    await raw.send(b"GET / HTTP/1.1\r\n")
    while True:
        await raw.send(b"X: y\r\n")
        await asyncio.sleep(0.05)
