"""One address can't take the doors from the others: so many requests a minute, so much open at once."""

import asyncio
import time
from urllib.parse import urlsplit

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from edge.addresses import Places, TrustedProxies, household_of
from mesh.errors import InvalidFieldError
from tests.edge.conftest import House, open_house
from tests.faults.proxy import FaultProxy
from tests.faults.weather import TUNNEL

GET_USER = "/v1/users/me"


async def test_requests_over_the_rate_are_told_when_to_come_back() -> None:
    async with open_house(request_rate="3/minute") as house:
        answers = [await house.http.get("/healthz") for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        refused = answers[-1]
        assert refused.json()["details"][0]["debug"]["reason"] == "RATE_LIMITED"
        assert 1 <= int(refused.headers["retry-after"]) <= 120
        assert refused.headers["x-content-type-options"] == "nosniff"


async def test_handshakes_count_too_and_are_refused_before_the_socket_opens() -> None:
    async with open_house(request_rate="1/minute") as house:
        await (await house.socket()).close()
        with pytest.raises(InvalidStatus, match="429") as caught:
            await house.socket()
        assert caught.value.response.headers["x-content-type-options"] == "nosniff"


async def test_nobody_waits_long_for_a_store_that_hangs(valkey_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place = urlsplit(valkey_url)
    async with FaultProxy(place.netloc) as wire:
        wire.weather = TUNNEL
        monkeypatch.setenv("VIVAVOCE_EPHEMERAL_URL", f"redis://{wire.address}/0")
        async with open_house() as house:
            waits_s = []
            for _ in range(3):
                asked_at = time.monotonic()
                assert (await house.http.get("/healthz")).status_code == 200
                waits_s.append(time.monotonic() - asked_at)
    assert min(waits_s) < 0.8


async def test_behind_a_trusted_proxy_each_client_has_a_rate_of_its_own() -> None:
    async with open_house(request_rate="1/minute", trusted_proxies=("127.0.0.0/8",)) as house:
        answers = [await house.http.get("/healthz", headers={"x-forwarded-for": f"203.0.113.{n}"}) for n in (1, 2, 1)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]


async def test_what_a_client_says_about_itself_is_not_believed() -> None:
    async with open_house(request_rate="1/minute") as house:
        answers = [await house.http.get("/healthz", headers={"x-forwarded-for": f"203.0.113.{n}"}) for n in (1, 2)]
        assert [answer.status_code for answer in answers] == [200, 429]


async def test_requests_under_way_at_once_are_bounded_by_address() -> None:
    async with open_house(max_requests_per_address=2) as house:
        house.users.delay_s = 0.5
        answers = await asyncio.gather(*(house.http.get(GET_USER, headers=house.signed_in) for _ in range(6)))
        statuses = sorted(answer.status_code for answer in answers)
        assert statuses == [200, 200, 429, 429, 429, 429]
        assert (await house.http.get("/healthz")).status_code == 200


async def test_sockets_are_bounded_by_address() -> None:
    async with open_house(max_sockets_per_address=1) as house:
        async with house.socket():
            with pytest.raises(InvalidStatus, match="429"):
                await house.socket()
        async with asyncio.timeout(5):
            while True:
                try:
                    await (await house.socket()).close()
                    break
                except InvalidStatus:
                    # The first is closed for us before it is for the edge.
                    await asyncio.sleep(0.01)


async def test_connections_are_bounded_by_address(house: House) -> None:
    async with open_house(max_connections_per_address=2) as house:
        clients = [httpx.AsyncClient(base_url=house.edge.url, trust_env=False) for _ in range(3)]
        answers = [await client.get("/healthz") for client in clients]
        assert [answer.status_code for answer in answers] == [200, 200, 503]
        for client in clients:
            await client.aclose()
        async with asyncio.timeout(5):
            while True:
                if (await house.http.get("/healthz")).status_code == 200:
                    break


async def test_sockets_give_back_the_place_of_their_connection() -> None:
    async with open_house(max_connections_per_address=2) as house:
        for _ in range(5):
            await (await house.socket()).close()
            async with asyncio.timeout(5):
                while True:
                    if (await house.http.get("/healthz")).status_code == 200:
                        break


def test_a_place_that_is_left_is_there_for_the_next() -> None:
    places = Places(1)
    assert places.take("192.0.2.1")
    assert not places.take("192.0.2.1")
    assert places.take("192.0.2.2")
    places.leave("192.0.2.1")
    assert places.take("192.0.2.1")


@pytest.mark.parametrize(
    ("address", "household"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:bbbb::9", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("unknown", "unknown"),
    ],
)
def test_the_addresses_of_one_household_count_as_one(address: str, household: str) -> None:
    assert household_of(address) == household


def test_proxies_are_trusted_by_address_and_by_network() -> None:
    proxies = TrustedProxies(["127.0.0.1", "10.0.0.0/8", "2001:db8::/32"])
    assert all(address in proxies for address in ("127.0.0.1", "10.9.9.9", "2001:db8::5"))
    assert not any(address in proxies for address in ("127.0.0.2", "11.0.0.1", "", "proxy.example"))


def test_a_proxy_that_is_no_address_is_found_out_at_once() -> None:
    with pytest.raises(InvalidFieldError, match="VIVAVOCE_EDGE_TRUSTED_PROXIES"):
        TrustedProxies(["proxy.example"])
