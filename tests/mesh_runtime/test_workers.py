import asyncio
import threading

import pytest

from mesh.errors import OverloadedError, UnavailableError
from mesh.workers import Workers


class Gate:
    """Work that begins, tells so, and ends when it is let go."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.open = threading.Event()

    def __call__(self) -> str:
        self.begun.set()
        self.open.wait(10)
        return "done"


async def _begun(gate: Gate) -> None:
    assert await asyncio.to_thread(gate.begun.wait, 10)


async def test_work_runs_in_a_thread_of_the_pool() -> None:
    async with Workers("listening") as workers:
        name = await workers.run(lambda: threading.current_thread().name)
    assert name.startswith("listening")


async def test_an_error_in_the_work_reaches_the_caller() -> None:
    async with Workers("listening") as workers:
        with pytest.raises(ZeroDivisionError):
            await workers.run(divmod, 1, 0)
        assert workers.load.finished == 1


async def test_a_full_queue_refuses_at_once() -> None:
    gate = Gate()
    async with Workers("listening", threads=1, queue=1) as workers, asyncio.TaskGroup() as calls:
        running = calls.create_task(workers.run(gate))
        await _begun(gate)
        waiting = calls.create_task(workers.run(str, 1))
        await asyncio.sleep(0)
        with pytest.raises(OverloadedError):
            await workers.run(str, 2)
        assert (workers.load.running, workers.load.waiting, workers.load.refused) == (1, 1, 1)
        gate.open.set()
    assert (running.result(), waiting.result()) == ("done", "1")


async def test_cancelling_frees_the_place_of_a_waiting_call() -> None:
    gate = Gate()
    async with Workers("listening", threads=1, queue=1) as workers, asyncio.TaskGroup() as calls:
        calls.create_task(workers.run(gate))
        await _begun(gate)
        waiting = calls.create_task(workers.run(str, 1))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        assert workers.load.waiting == 0
        gate.open.set()
        assert await workers.run(str, 2) == "2"


async def test_cancelling_a_begun_call_keeps_its_place_until_the_thread_is_free() -> None:
    gate = Gate()
    async with Workers("listening", threads=1, queue=0) as workers:
        call = asyncio.create_task(workers.run(gate))
        await _begun(gate)
        call.cancel()
        await asyncio.wait([call])
        with pytest.raises(OverloadedError):
            await workers.run(str, 1)
        gate.open.set()


async def test_closing_drops_what_waits_and_refuses_what_comes() -> None:
    gate = Gate()
    workers = Workers("listening", threads=1, queue=1)
    running = asyncio.create_task(workers.run(gate))
    await _begun(gate)
    waiting = asyncio.create_task(workers.run(str, 1))
    await asyncio.sleep(0)
    closing = asyncio.create_task(workers.close())
    await asyncio.wait([waiting])
    gate.open.set()
    await closing
    assert waiting.cancelled()
    assert await running == "done"
    with pytest.raises(UnavailableError):
        await workers.run(str, 1)


async def test_the_time_spent_waiting_is_measured() -> None:
    times = iter([0.0, 0.25, 1.0, 3.0])
    async with Workers("listening", now=lambda: next(times)) as workers:
        await workers.run(str, 1)
        await workers.run(str, 2)
        assert workers.load.waited_s == 2.25
        assert workers.load.longest_wait_s == 2.0
