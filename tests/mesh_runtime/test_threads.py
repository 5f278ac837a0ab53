"""Threads with a bound on what may wait."""

import asyncio
import threading

import pytest

from mesh.errors import OverloadedError
from mesh.threads import BoundedThreads


async def test_work_runs_off_the_loop_and_its_error_comes_back() -> None:
    async with BoundedThreads("work", 1, 1) as threads:
        assert (await threads.run(threading.current_thread)).name.startswith("work")
        with pytest.raises(ZeroDivisionError):
            await threads.run(lambda: 1 // 0)


async def test_what_does_not_fit_is_refused_and_fits_once_there_is_room() -> None:
    gate = threading.Event()
    async with BoundedThreads("work", 1, 1) as threads:
        try:
            held = [asyncio.create_task(threads.run(gate.wait)) for _ in range(2)]
            await asyncio.sleep(0)
            with pytest.raises(OverloadedError):
                await threads.run(gate.wait)
        finally:
            gate.set()
        assert await asyncio.gather(*held) == [True, True]
        assert await threads.run(gate.wait)


async def test_a_caller_that_is_cancelled_leaves_its_place_to_others() -> None:
    gate = threading.Event()
    async with BoundedThreads("work", 1, 0) as threads:
        try:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await threads.run(gate.wait)
        finally:
            gate.set()
        async with asyncio.timeout(5):
            while True:
                try:
                    assert await threads.run(gate.wait)
                    break
                except OverloadedError:
                    await asyncio.sleep(0.001)
