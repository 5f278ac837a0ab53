"""Has sound read and written by processes of their own: what a hostile file does to one, nobody else notices."""

import asyncio
import json
import logging
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self

from mesh.children import Child
from mesh.errors import BadAudioError, OverloadedError, TimedOutError, VivavoceError
from mesh.workers import Workers
from services.media.sound.jobs import Bounds, Job, Made, write_job

_CHILD: Final = "services.media.sound.child"
#: The most of what a process complained that is logged.
_LAST_WORDS: Final = 300

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Room:
    """How many jobs are done at once, and how many may wait."""

    processes: int
    queue: int


class Workshop:
    """Does jobs, each in a process that ends with it; use it as `async with`. Cancelling a job ends its process."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._places = asyncio.Semaphore(room.processes)
        # Where there is room for none, jobs wait for a place, and none comes as far as a thread.
        self._threads = Workers("sound", threads=max(1, room.processes), queue=room.processes)
        self._admitted = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._threads.close()

    async def make(self, job: Job, bounds: Bounds, tell: Callable[[float], None] = lambda _: None) -> list[Made]:
        """Does a job; `tell` hears how much is done, 0 to 1.

        Raises:
            OverloadedError: too many jobs wait.
            BadAudioError: the sound can't be read within the bounds.
            TimedOutError: it took too long.
            VivavoceError: what the job itself says.
        """
        if self._admitted >= self._room.processes + self._room.queue:
            raise OverloadedError("Too much sound waits to be changed; try again in a moment.")
        self._admitted += 1
        try:
            async with self._places:
                return await self._done_by_child(job, bounds, tell)
        finally:
            self._admitted -= 1

    async def _done_by_child(self, job: Job, bounds: Bounds, tell: Callable[[float], None]) -> list[Made]:
        child, loop = Child(_CHILD), asyncio.get_running_loop()

        def tell_here(share: float) -> None:
            loop.call_soon_threadsafe(tell, share)

        work = asyncio.ensure_future(self._threads.run(_exchange, child, write_job(job, bounds), tell_here))
        try:
            async with asyncio.timeout(bounds.wall_s):
                return _outcome(*await asyncio.shield(work))
        except TimeoutError:
            raise TimedOutError("The sound takes too long to change; send a shorter stretch.") from None
        finally:
            child.kill()
            await asyncio.gather(work, return_exceptions=True)


def _exchange(child: Child, order: bytes, tell: Callable[[float], None]) -> tuple[dict[str, Any], int, str]:
    """What the process said last, how it ended, and of what it complained. Blocks until it has ended."""
    with tempfile.TemporaryFile() as complaints, child.start(complaints) as process:
        with suppress(ConnectionError), child.told:  # One that ended already says by its exit how.
            child.told.write(order)
        last: dict[str, Any] = {}
        for line in child.telling:
            last = json.loads(line)
            if "progress" in last:
                tell(last["progress"])
        code = process.wait()
        complaints.seek(max(0, complaints.seek(0, os.SEEK_END) - _LAST_WORDS))
        return last, code, complaints.read().decode(errors="replace")


def _outcome(said: dict[str, Any], code: int, complaint: str) -> list[Made]:
    if "made" in said:
        return [Made(**each) for each in said["made"]]
    if failed := said.get("failed"):
        kind = BadAudioError if failed["kind"] == BadAudioError.__name__ else VivavoceError
        raise kind(failed["message"], field=failed["field"])
    # Ended by a signal, at a bound, or by a fault of a decoder: the file is to blame, and nobody else was harmed.
    _log.warning("a sound process ended early", extra={"exit_code": code, "complaint": complaint})
    raise BadAudioError("The sound can't be read within the bounds; send another file.", field="content")
