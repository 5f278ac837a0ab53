"""The edge listens where it is told, says where that is, and explains what stands in the way."""

import time

import httpx
import pytest

from edge.listener import bind
from mesh.errors import InvalidFieldError
from tests.edge.conftest import House, answer, open_house, ping, start
from tests.edge.scripts import echo_pings


async def test_port_nought_takes_a_free_one_and_tells_which(house: House) -> None:
    assert house.edge.url == f"http://127.0.0.1:{house.edge.port}"
    assert (await house.http.get("/healthz")).status_code == 200


def test_a_taken_port_is_named_with_the_option_to_change_it() -> None:
    with bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InvalidFieldError, match=f"Port {port} is taken .* --port") as caught:
            bind("127.0.0.1", port)
    assert caught.value.field == "port"


def test_a_host_of_another_machine_is_explained() -> None:
    with pytest.raises(InvalidFieldError, match=r"can't listen on 192\.0\.2\.1") as caught:
        bind("192.0.2.1", 0)
    assert caught.value.field == "host"


async def test_frames_in_a_row_are_answered_without_waiting_for_one_another(house: House) -> None:
    house.conversations.script = echo_pings
    async with house.socket() as socket:
        await socket.send(start().SerializeToString())
        began_at = time.perf_counter()
        for _ in range(50):
            await socket.send(ping(1))
            await socket.send(ping(2))
            await answer(socket)
            await answer(socket)
    # Acknowledgements held back take 40 ms each.
    assert time.perf_counter() - began_at < 50 * 0.03


async def test_an_edge_opens_and_closes_again_and_again() -> None:
    for _ in range(3):
        async with open_house() as house:
            assert (await house.http.get("/healthz")).status_code == 200


async def test_more_connections_than_allowed_are_answered_503() -> None:
    async with open_house(max_connections=1) as house:
        assert (await house.http.get("/healthz")).status_code == 200
        async with httpx.AsyncClient(base_url=house.edge.url, trust_env=False) as other:
            refused = await other.get("/healthz")
        assert (refused.status_code, refused.json()["code"]) == (503, "resource_exhausted")
