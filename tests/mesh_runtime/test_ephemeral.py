"""What may be lost, within the process and in a real Valkey."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from mesh.clock import SystemClock, VirtualClock
from mesh.ephemeral import Ephemeral, EphemeralSettings, Memory, open_ephemeral
from mesh.errors import InvalidFieldError, OverloadedError, UnavailableError
from mesh.settings import load, masked
from tests.stores import own_valkey

#: Long for a test, and short for a machine that is busy.
LONG_S = 60.0


@pytest.fixture
async def store(ephemeral_url: str) -> AsyncIterator[Ephemeral]:
    async with open_ephemeral(EphemeralSettings(ephemeral_url), SystemClock()) as opened:
        yield opened


async def test_what_is_put_is_found(store: Ephemeral) -> None:
    await store.put("place", "ses_1 ✓", lifetime_s=LONG_S)
    assert await store.get("place") == "ses_1 ✓"
    assert await store.get("elsewhere") is None


async def test_what_is_put_anew_takes_the_place_of_the_old(store: Ephemeral) -> None:
    await store.put("place", "old", lifetime_s=0.05)
    await store.put("place", "new", lifetime_s=LONG_S)
    await asyncio.sleep(0.1)
    assert await store.get("place") == "new"


async def test_what_is_put_is_gone_after_its_lifetime(store: Ephemeral) -> None:
    await store.put("brief", "x", lifetime_s=0.05)
    await _gone(store, "brief")


async def test_of_fifty_who_claim_at_once_one_holds_it(store: Ephemeral) -> None:
    claims = await asyncio.gather(*(store.claim("lease", f"host {n}", lifetime_s=LONG_S) for n in range(50)))
    assert claims.count(True) == 1
    assert await store.get("lease") == f"host {claims.index(True)}"


async def test_a_lease_is_free_again_once_it_ran_out(store: Ephemeral) -> None:
    assert await store.claim("lease", "crashed", lifetime_s=0.05)
    await _gone(store, "lease")
    assert await store.claim("lease", "next", lifetime_s=LONG_S)


async def test_only_its_holder_extends_a_lease(store: Ephemeral) -> None:
    await store.claim("lease", "holder", lifetime_s=0.3)
    assert not await store.extend("lease", "another", lifetime_s=LONG_S)
    assert await store.extend("lease", "holder", lifetime_s=LONG_S)
    await asyncio.sleep(0.4)
    assert await store.get("lease") == "holder"


async def test_a_lease_that_ran_out_is_not_extended(store: Ephemeral) -> None:
    await store.claim("lease", "holder", lifetime_s=0.05)
    await _gone(store, "lease")
    assert not await store.extend("lease", "holder", lifetime_s=LONG_S)


async def test_only_its_holder_releases_a_lease(store: Ephemeral) -> None:
    await store.claim("lease", "holder", lifetime_s=LONG_S)
    assert not await store.release("lease", "another")
    assert await store.get("lease") == "holder"
    assert await store.release("lease", "holder")
    assert not await store.release("lease", "holder")


async def test_two_processes_share_a_valkey(valkey_url: str) -> None:
    settings, clock = EphemeralSettings(valkey_url), SystemClock()
    async with open_ephemeral(settings, clock) as one, open_ephemeral(settings, clock) as another:
        assert await one.claim("lease", "one", lifetime_s=LONG_S)
        assert not await another.claim("lease", "another", lifetime_s=LONG_S)


async def test_more_at_once_than_there_are_connections_all_have_their_turn(valkey_url: str) -> None:
    async with open_ephemeral(EphemeralSettings(valkey_url), SystemClock()) as store:
        await asyncio.gather(*(store.put(f"key {n}", str(n), lifetime_s=LONG_S) for n in range(300)))
        assert await asyncio.gather(*(store.get(f"key {n}") for n in range(300))) == [str(n) for n in range(300)]


async def test_a_valkey_that_stops_is_told_as_unavailable_and_used_again_when_it_is_back() -> None:
    with own_valkey() as server:
        async with open_ephemeral(EphemeralSettings(server.url), SystemClock()) as store:
            await store.put("before", "x", lifetime_s=LONG_S)
            server.program.kill()
            begun = time.monotonic()
            with pytest.raises(UnavailableError, match="try again") as caught:
                await store.get("before")
            assert time.monotonic() - begun < 10
            assert caught.value.reason == "SERVICE_UNAVAILABLE"
            server.program.start()
            await store.put("after", "y", lifetime_s=LONG_S)
            assert await store.get("after") == "y"


async def test_a_wrong_password_is_told_as_unavailable_and_never_repeated(valkey_url: str) -> None:
    wrong = f"redis://:not-the-password@{valkey_url.rpartition('@')[2]}"
    async with open_ephemeral(EphemeralSettings(wrong), SystemClock()) as store:
        with pytest.raises(UnavailableError) as caught:
            await store.get("x")
    assert "password" not in caught.value.message


async def test_a_url_of_something_else_is_refused_without_repeating_it() -> None:
    with pytest.raises(InvalidFieldError, match="VIVAVOCE_EPHEMERAL_URL") as caught:
        async with open_ephemeral(EphemeralSettings("http://user:secret@host"), SystemClock()):
            pass
    assert "secret" not in caught.value.message


def test_the_url_is_masked_where_settings_are_shown() -> None:
    settings = load(EphemeralSettings, {"VIVAVOCE_EPHEMERAL_URL": "redis://:secret@host/0"})
    assert masked(settings) == {"url": "***"}


async def test_a_full_process_refuses_until_something_expired() -> None:
    clock = VirtualClock()
    store = Memory(clock, bound=2)
    await store.put("brief", "x", lifetime_s=10)
    await store.put("long", "y", lifetime_s=100)
    with pytest.raises(OverloadedError):
        await store.claim("third", "z", lifetime_s=10)
    await store.put("long", "again", lifetime_s=100)
    clock.advance(10)
    assert await store.claim("third", "z", lifetime_s=10)


async def _gone(store: Ephemeral, key: str) -> None:
    async with asyncio.timeout(10):
        while await store.get(key) is not None:  # noqa: ASYNC110 (there is no event to wait for)
            await asyncio.sleep(0.01)
