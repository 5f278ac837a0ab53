"""Operators are told which store does not answer; nothing is asked twice of one that hangs."""

import asyncio
import logging

import pytest

from mesh.clock import VirtualClock
from mesh.errors import UnavailableError
from mesh.stores import ANSWERS_S, EVERY_S, Stores


class Store:
    """Answers, refuses, or hangs, as a test sets it."""

    def __init__(self) -> None:
        self.asked = 0
        self.refuses = False
        self.awake = asyncio.Event()
        self.awake.set()

    async def question(self) -> None:
        self.asked += 1
        await self.awake.wait()
        if self.refuses:
            raise UnavailableError("It is away.")


async def test_a_store_that_goes_and_comes_back_is_told_of_each_time_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    clock, store, other = VirtualClock(), Store(), Store()
    async with Stores("history", {"database": store.question, "bucket": other.question}, clock) as stores:
        store.refuses = True
        await clock.elapse(2 * EVERY_S)
        assert stores.answering == {"database": False, "bucket": True}
        store.refuses = False
        await clock.elapse(2 * EVERY_S)
        assert stores.answering == {"database": True, "bucket": True}
    assert caplog.messages == ["a store is away", "a store is back"]


async def test_a_store_that_hangs_is_away_and_asked_nothing_more_before_it_answers() -> None:
    clock, store = VirtualClock(), Store()
    store.awake.clear()
    async with Stores("history", {"database": store.question}, clock) as stores:
        await clock.elapse(ANSWERS_S)
        assert stores.answering == {"database": False}
        await clock.elapse(10 * EVERY_S)
        assert store.asked == 1
        store.awake.set()
        await clock.elapse(0)
        assert stores.answering == {"database": True}
        await clock.elapse(EVERY_S)
        assert store.asked == 2
