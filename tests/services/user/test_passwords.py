"""Passwords: hashed by argon2id, in a bounded pool."""

import asyncio

import pytest
from argon2 import PasswordHasher

from mesh.errors import OverloadedError
from services.user.passwords import Passwords


async def test_a_hash_has_the_cost_that_owasp_asks_for_and_its_own_salt() -> None:
    async with Passwords(1, 4) as passwords:
        first, second = await passwords.hash("a long password"), await passwords.hash("a long password")
    assert first.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert first != second


async def test_a_password_is_right_or_wrong_and_nobodys_is_never_right() -> None:
    async with Passwords(1, 4) as passwords:
        known = await passwords.hash("a long password")
        assert (await passwords.check("a long password", known)).right
        assert not (await passwords.check("another password", known)).right
        assert not (await passwords.check("a password that nobody has", "")).right


async def test_a_hash_of_another_cost_is_made_anew() -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("a long password")
    async with Passwords(1, 4) as passwords:
        check = await passwords.check("a long password", weak)
        assert check.rehashed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
        assert not (await passwords.check("a long password", check.rehashed)).rehashed


async def test_more_than_may_wait_are_refused_at_once() -> None:
    async with Passwords(1, 2) as passwords:
        answers = await asyncio.gather(*(passwords.hash("a long password") for _ in range(5)), return_exceptions=True)
        assert [type(answer) for answer in answers] == [str] * 3 + [OverloadedError] * 2
        assert await passwords.hash("a long password")


async def test_a_caller_who_gives_up_frees_its_place() -> None:
    async with Passwords(1, 0) as passwords:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await passwords.hash("a long password")
        while True:
            try:
                assert await passwords.hash("a long password")
                break
            except OverloadedError:
                await asyncio.sleep(0.01)
