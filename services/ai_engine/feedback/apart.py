"""Has turns judged in a process of its own, which takes nothing from the one that carries sound (ADR 36)."""

import asyncio
import logging
import pickle
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self

from mesh.children import Child
from mesh.clock import Clock
from mesh.mailbox import Closed, Mailbox
from mesh.workers import Workers, full
from services.ai_engine.domain.remarks import Remark, SaidTurn
from services.ai_engine.feedback.child import SOUNDS

_CHILD: Final = "services.ai_engine.feedback.child"
#: Turns of all sessions that may wait. Full: no remarks on the next.
_QUEUE: Final = 32
#: While more wait than this their sounds are not guessed at, so that all get the remarks that cost little.
_UNHURRIED: Final = 2
#: Remarks of one turn that its session has not taken yet; there are fewer kinds than this.
_REMARKS: Final = 8
#: One turn, and the start of the process where it comes first, on a machine that is busy with talking.
_WITHIN_S: Final = 30.0
#: A process that ended, or was too late, is followed by another after so long. Turns until then get no remarks.
_REST_S: Final = 10.0

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Asked:
    turn: SaidTurn
    remarks: Mailbox[Remark] = field(default_factory=lambda: Mailbox(_REMARKS))


class JudgesApart:
    """The judges of all sessions that take time or memory; use it as `async with`.

    The process starts at the first turn and judges one turn after another. It ends with the block, or with this
    process, however that ends.
    """

    def __init__(self, *, sound_guesses: bool, clock: Clock, within_s: float = _WITHIN_S) -> None:
        self._arguments = (SOUNDS,) if sound_guesses else ()
        self._clock = clock
        self._within_s = within_s
        self._waiting: Mailbox[_Asked] = Mailbox(_QUEUE)
        self._thread = Workers("feedback", threads=1, queue=1)
        self._child = Child(_CHILD, *self._arguments)
        self._rests_until = 0.0
        self._serving: asyncio.Task[None] | None = None

    def process_id(self) -> int | None:
        """Of the process that judges; None where none runs."""
        return self._child.process_id

    async def remarks(self, turn: SaidTurn) -> AsyncGenerator[Remark, None]:
        """What they say of it, each as soon as it is found; nothing where their process fails.

        Raises:
            OverloadedError: too many turns wait.
        """
        asked = _Asked(turn)
        if not self._waiting.offer(asked):
            raise full("feedback")
        while True:
            try:
                yield await asked.remarks.get()
            except Closed:
                return

    async def __aenter__(self) -> Self:
        self._serving = asyncio.create_task(self._serve(), name="judges apart")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._waiting.close()
        if self._serving is not None:
            self._serving.cancel()
            await asyncio.wait([self._serving])
        self._child.kill()
        await self._thread.close()
        self._child.close()

    async def _serve(self) -> None:
        while True:
            asked = await self._waiting.get()
            try:
                if self._clock.now() >= self._rests_until:
                    await self._judge(asked)
            finally:
                asked.remarks.close()

    async def _judge(self, asked: _Asked) -> None:
        hurried = len(self._waiting) > _UNHURRIED
        loop = asyncio.get_running_loop()

        def offer(remark: Remark) -> None:
            loop.call_soon_threadsafe(asked.remarks.offer, remark)

        try:
            async with asyncio.timeout(self._within_s):
                await self._thread.run(self._exchange, asked.turn, hurried, offer)
        except Exception as error:  # Whatever befalls a process; the others who wait are judged by the next one.
            await asyncio.to_thread(self._child.close)
            self._rests_until = self._clock.now() + _REST_S
            _log.warning("the process that judges turns failed", extra={"error": type(error).__name__})

    def _exchange(self, turn: SaidTurn, hurried: bool, offer: Callable[[Remark], None]) -> None:
        """Blocks until the turn is judged. Raises OSError or EOFError where the process ends before."""
        if self.process_id() is None:
            self._child.close()
            self._child = Child(_CHILD, *self._arguments)
            self._child.start()
        told, telling = self._child.told, self._child.telling
        pickle.dump((turn, hurried), told)
        told.flush()
        while (remark := pickle.load(telling)) is not None:  # Written by our own process.
            offer(remark)
