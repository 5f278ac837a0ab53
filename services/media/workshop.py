"""Has sound read and written by processes of their own: what a hostile file does to one, nobody else notices."""

import asyncio
import json
import logging
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from mesh.errors import BadAudioError, OverloadedError, TimedOutError, VivavoceError
from mesh.workers import CHILD_ENVIRONMENT
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
    """Does jobs, each in a process that ends with it. Cancelling a job ends its process."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._places = asyncio.Semaphore(room.processes)
        self._admitted = 0

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
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-m", _CHILD),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=CHILD_ENVIRONMENT,
        )
        try:
            async with asyncio.timeout(bounds.wall_s):
                said, complaint = await asyncio.gather(_listen(child, job, bounds, tell), _last_words(child))
                code = await child.wait()
        except TimeoutError:
            raise TimedOutError("The sound takes too long to change; send a shorter stretch.") from None
        finally:
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()
        return _outcome(said, code, complaint)


async def _listen(
    child: asyncio.subprocess.Process, job: Job, bounds: Bounds, tell: Callable[[float], None]
) -> dict[str, Any]:
    assert child.stdin is not None, "it is piped"
    assert child.stdout is not None, "it is piped"
    with suppress(ConnectionError):  # One that ended already says by its exit how.
        child.stdin.write(write_job(job, bounds))
        await child.stdin.drain()
    child.stdin.close()
    last: dict[str, Any] = {}
    async for line in child.stdout:
        last = json.loads(line)
        if "progress" in last:
            tell(last["progress"])
    return last


async def _last_words(child: asyncio.subprocess.Process) -> str:
    assert child.stderr is not None, "it is piped"
    words = b""
    while block := await child.stderr.read(4096):
        words = (words + block)[-_LAST_WORDS:]
    return words.decode(errors="replace")


def _outcome(said: dict[str, Any], code: int, complaint: str) -> list[Made]:
    if "made" in said:
        return [Made(**each) for each in said["made"]]
    if failed := said.get("failed"):
        kind = BadAudioError if failed["kind"] == BadAudioError.__name__ else VivavoceError
        raise kind(failed["message"], field=failed["field"])
    # Ended by a signal, at a bound, or by a fault of a decoder: the file is to blame, and nobody else was harmed.
    _log.warning("a sound process ended early", extra={"exit_code": code, "complaint": complaint})
    raise BadAudioError("The sound can't be read within the bounds; send another file.", field="content")
