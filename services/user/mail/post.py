"""Writes and sends letters beside the calls that cause them, so that no caller can tell whether one was sent."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Final, Self, TypeAlias

from mesh.clock import Clock
from mesh.errors import OverloadedError, UnavailableError
from services.user.mail.carrier import Carrier, MailFailedError, MailRefusedError
from services.user.mail.letters import Letter

BOUND: Final = 256
_WORKERS: Final = 2
#: Seconds before each further try.
_PAUSES_S: Final[Sequence[float]] = (1.0, 10.0, 60.0)
#: What is still waiting at the end gets so long.
_FAREWELL_S: Final = 5.0

_log: Final = logging.getLogger(__name__)

#: Finds out whether there is a letter to write, and writes it.
Errand: TypeAlias = Callable[[], Awaitable[Letter | None]]


class Post:
    """Runs errands one after another within its `async with` block, two at a time.

    They wait in memory: what is not sent when the process dies is not sent, and people ask again.
    """

    def __init__(self, carrier: Carrier, clock: Clock, *, bound: int = BOUND) -> None:
        self._carrier = carrier
        self._clock = clock
        self._errands: asyncio.Queue[Errand] = asyncio.Queue(bound)
        self._workers: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        """Begins."""
        self._workers = [asyncio.create_task(self._work(), name=f"post {number}") for number in range(_WORKERS)]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Sends what waits, for some seconds at most."""
        try:
            async with asyncio.timeout(_FAREWELL_S):
                await self._errands.join()
        except TimeoutError:
            _log.warning("letters were not sent before the end", extra={"count": self._errands.qsize()})
        for worker in self._workers:
            worker.cancel()
        await asyncio.wait(self._workers)

    def offer(self, errand: Errand) -> bool:
        """Takes an errand on. False where too many wait already: it is not done, and the caller says so."""
        try:
            self._errands.put_nowait(errand)
        except asyncio.QueueFull:
            _log.warning("too many letters wait")
            return False
        return True

    async def _work(self) -> None:
        while True:
            errand = await self._errands.get()
            try:
                await self._run(errand)
            except Exception:
                # Nobody waits for an errand, and the next may succeed.
                _log.exception("letter could not be written")
            finally:
                self._errands.task_done()

    async def _run(self, errand: Errand) -> None:
        """Again after a while, where the database is away in which the errand looks, or whoever carries the letter."""
        letter: Letter | None = None
        for pause_s in (*_PAUSES_S, None):
            try:
                letter = letter or await errand()
                if letter is None:
                    return
                await self._carrier.carry(letter)
            except MailRefusedError as error:
                _log.warning("letter refused", extra={"why": str(error)})
                return
            except (MailFailedError, UnavailableError, OverloadedError) as error:
                if pause_s is None:
                    _log.warning("letter not sent", extra={"why": str(error)})
                    return
                await self._clock.sleep(pause_s)
            else:
                _log.info("letter sent")
                return
