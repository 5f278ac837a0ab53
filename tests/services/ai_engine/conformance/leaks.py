"""Sees to it that a provider leaves nothing behind: no task, no thread, no socket."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psutil

from tests.emulators.vendor import Vendor
from tests.services.ai_engine.conformance.vendors import Pair

_SOON_S = 3.0


@asynccontextmanager
async def nothing_left(pair: Pair[Any]) -> AsyncIterator[None]:
    """Fails where a task, a thread or a connection to the vendor goes on when what was kept warm is closed."""
    emulator, tasks, threads = pair.emulator, asyncio.all_tasks(), set(threading.enumerate())
    yield
    await pair.close()
    sockets = _sockets(emulator)
    await emulator.stop()
    deadline = time.monotonic() + _SOON_S
    while left := [*_tasks(tasks), *_threads(threads)]:
        assert time.monotonic() < deadline, f"still there: {left}"
        await asyncio.sleep(0.01)
    assert not sockets, f"still open when it was done: {sockets}"


def _tasks(before: set["asyncio.Task[object]"]) -> list[str]:
    # The teardown of a fixture is a task of its own.
    return [task.get_name() for task in asyncio.all_tasks() - before - {asyncio.current_task()}]


def _threads(before: set[threading.Thread]) -> list[str]:
    # The event loop's own look up names, and stay as long as it does.
    new = set(threading.enumerate()) - before
    return [thread.name for thread in new if not thread.name.startswith("asyncio_")]


def _sockets(emulator: Vendor) -> list[str]:
    port = int(emulator.url.rpartition(":")[2])
    return [
        str(each.laddr)
        for each in psutil.Process().net_connections("tcp")
        if each.status == psutil.CONN_ESTABLISHED and each.raddr.port == port
    ]
