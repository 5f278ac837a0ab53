"""How often something may be done, counted in the process and in Valkey."""

import asyncio
import logging

import pytest

from mesh.errors import InvalidFieldError, RateLimitedError
from mesh.rates import Rates, check_rates
from tests.stores import own_valkey


async def test_as_many_as_the_rate_allows_are_let_through(ephemeral_url: str) -> None:
    async with Rates(ephemeral_url) as rates:
        for _ in range(3):
            await rates.admit("3/hour", "login", "198.51.100.0/24")
        with pytest.raises(RateLimitedError) as caught:
            await rates.admit("3/hour", "login", "198.51.100.0/24")
        await rates.admit("3/hour", "login", "203.0.113.0/24")
        await rates.admit("3/hour", "register", "198.51.100.0/24")
    assert 1 <= int(caught.value.metadata["retry_after_s"]) <= 3600
    assert caught.value.reason == "RATE_LIMITED"


async def test_of_fifty_at_once_no_more_than_the_rate_are_let_through(ephemeral_url: str) -> None:
    async with Rates(ephemeral_url) as rates:
        answers = await asyncio.gather(*(rates.admit("5/hour", "x") for _ in range(50)), return_exceptions=True)
    assert sum(answer is None for answer in answers) == 5
    assert all(answer is None or isinstance(answer, RateLimitedError) for answer in answers)


async def test_of_several_windows_each_bounds(ephemeral_url: str) -> None:
    async with Rates(ephemeral_url) as rates:
        await rates.admit("100/minute;2/day", "x")
        await rates.admit("100/minute;2/day", "x")
        with pytest.raises(RateLimitedError) as caught:
            await rates.admit("100/minute;2/day", "x")
    assert int(caught.value.metadata["retry_after_s"]) > 60


async def test_no_rate_is_no_bound() -> None:
    async with Rates("memory://") as rates:
        for _ in range(100):
            await rates.admit("", "x")


async def test_replicas_share_what_they_count_in_valkey(valkey_url: str) -> None:
    async with Rates(valkey_url) as one, Rates(valkey_url) as other:
        await one.admit("1/hour", "x")
        with pytest.raises(RateLimitedError):
            await other.admit("1/hour", "x")


async def test_no_key_reaches_the_store(valkey_url: str) -> None:
    from redis.asyncio import Redis

    async with Rates(valkey_url) as rates, Redis.from_url(valkey_url) as client:
        await rates.admit("5/hour", "login", "ann@example.org")
        kept = [key.decode() async for key in client.scan_iter()]
    assert kept
    assert not [key for key in kept if "ann" in key or not key.startswith("vivavoce:rate")]


async def test_where_the_store_is_away_everything_passes_and_that_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with own_valkey() as server:
        async with Rates(server.url) as rates:
            await rates.admit("1/hour", "x")
            server.program.kill()
            caplog.set_level(logging.WARNING)
            await rates.admit("1/hour", "x")
    assert "rates can't be counted" in caplog.text


def test_a_setting_that_is_no_rate_is_named() -> None:
    check_rates(["5/minute;100/hour", ""])
    with pytest.raises(InvalidFieldError, match='"often" is not a rate'):
        check_rates(["5/minute", "often"])
