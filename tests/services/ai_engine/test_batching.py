import asyncio
import threading
from collections.abc import Sequence

import pytest

from mesh.errors import OverloadedError, UnavailableError
from services.ai_engine.batching import Batcher


class Doubling:
    """Doubles numbers, and remembers which came together. The first batch waits until it is let go."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.open = threading.Event()
        self.batches: list[list[int]] = []

    def __call__(self, numbers: Sequence[int]) -> list[int]:
        self.batches.append(list(numbers))
        self.begun.set()
        self.open.wait(10)
        return [2 * number for number in numbers]


async def test_what_gathers_while_a_batch_runs_is_the_next_batch() -> None:
    work = Doubling()
    async with Batcher("doubling", work) as batcher, asyncio.TaskGroup() as calls:
        first = calls.create_task(batcher.run(1))
        assert await asyncio.to_thread(work.begun.wait, 10)
        others = [calls.create_task(batcher.run(number)) for number in (2, 3, 4)]
        await asyncio.sleep(0)
        work.open.set()
    assert [call.result() for call in (first, *others)] == [2, 4, 6, 8]
    assert work.batches == [[1], [2, 3, 4]]


async def test_a_batch_is_no_larger_than_allowed() -> None:
    work = Doubling()
    async with Batcher("doubling", work, largest=2) as batcher, asyncio.TaskGroup() as calls:
        calls.create_task(batcher.run(1))
        assert await asyncio.to_thread(work.begun.wait, 10)
        for number in (2, 3, 4):
            calls.create_task(batcher.run(number))
        await asyncio.sleep(0)
        work.open.set()
    assert work.batches == [[1], [2, 3], [4]]


async def test_a_full_queue_refuses_at_once() -> None:
    work = Doubling()
    async with Batcher("doubling", work, queue=1) as batcher, asyncio.TaskGroup() as calls:
        calls.create_task(batcher.run(1))
        assert await asyncio.to_thread(work.begun.wait, 10)
        calls.create_task(batcher.run(2))
        await asyncio.sleep(0)
        with pytest.raises(OverloadedError):
            await batcher.run(3)
        assert (batcher.load.waiting, batcher.load.refused) == (1, 1)
        work.open.set()


async def test_an_error_reaches_everyone_in_the_batch_and_the_next_batch_works() -> None:
    def work(numbers: Sequence[int]) -> list[int]:
        return [1 // number for number in numbers]

    async with Batcher("dividing", work) as batcher:
        with pytest.raises(ZeroDivisionError):
            await batcher.run(0)
        assert await batcher.run(1) == 1


async def test_closing_finishes_what_waits_and_refuses_what_comes() -> None:
    work = Doubling()
    work.open.set()
    async with Batcher("doubling", work) as batcher:
        call = asyncio.create_task(batcher.run(1))
        await asyncio.sleep(0)
    assert await call == 2
    with pytest.raises(UnavailableError):
        await batcher.run(2)
