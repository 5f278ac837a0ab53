"""Has every judge look at a turn, in a thread that gives way to the voices."""

import logging
import os
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from mesh.workers import Workers
from services.ai_engine.domain.remarks import Judge, Remark, SaidTurn

#: Turns of all sessions that may wait. Full: no remarks on the next.
_QUEUE: Final = 32
_NICE: Final = 10

_log: Final = logging.getLogger(__name__)


class Assessor:
    """The judges of all sessions. Close it with `aclose` when it is no longer needed."""

    def __init__(self, judges: Sequence[Judge]) -> None:
        self._judges = tuple(judges)
        self._workers = Workers("feedback", threads=1, queue=_QUEUE)

    async def remarks(self, turn: SaidTurn) -> tuple[Remark, ...]:
        """What there is to say of it. Raises OverloadedError when too many turns wait."""
        return await self._workers.run(self._judged, turn)

    async def aclose(self) -> None:
        """Ends its thread."""
        await self._workers.close()

    def _judged(self, turn: SaidTurn) -> tuple[Remark, ...]:
        _give_way()
        return tuple(remark for judge in self._judges if (remark := self._judge(judge, turn)) is not None)

    def _judge(self, judge: Judge, turn: SaidTurn) -> Remark | None:
        try:
            return judge(turn)
        except Exception as error:
            # A remark is a courtesy: the others are made without it. What was said stays out of the log.
            _log.warning("a remark could not be made", extra={"error": type(error).__name__})
            return None


def _give_way() -> None:
    # Only a kernel that schedules threads one by one can do it for one of them.
    with suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
