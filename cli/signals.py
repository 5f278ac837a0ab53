"""Ends a process kindly at the first signal, at once at the second."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

#: After a second signal what is left has so long to close.
_LAST_WORDS_S: Final = 2.0


@contextmanager
def until_signal(stop: asyncio.Event) -> Iterator[asyncio.Event]:
    """Sets `stop` at the first SIGINT or SIGTERM, if the event it yields is set: say so when there is something to end.

    Before that, and at the second signal, the current task is cancelled; the process ends two seconds later whatever
    still runs.
    """
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None, "runs in a task"
    ready = asyncio.Event()

    def received() -> None:
        if ready.is_set() and not stop.is_set():
            stop.set()
            return
        task.cancel()
        loop.call_later(_LAST_WORDS_S, os._exit, 130)

    watched = (signal.SIGINT, signal.SIGTERM)
    for each in watched:
        loop.add_signal_handler(each, received)
    try:
        yield ready
    finally:
        for each in watched:
            loop.remove_signal_handler(each)
