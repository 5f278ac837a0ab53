"""A session's remarks: made when no reply is in the making, one turn after another, so that none is held up."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from typing import Final

from mesh.errors import OverloadedError
from mesh.mailbox import Closed, Mailbox
from services.ai_engine.domain.remarks import SaidTurn
from services.ai_engine.domain.roles import HEARING_RATE_HZ, Word
from services.ai_engine.domain.run import Assess, Emit, RemarkFound
from services.ai_engine.engines.memory import HeardSound
from services.ai_engine.feedback.assessor import Assessor

#: Turns that may wait. Full: no remarks on the next.
_WAITING: Final = 4
#: Where replies never cease to be made, remarks are made beside them in the end.
_PATIENCE_S: Final = 10.0


class Assessments:
    """Asks for remarks on the turns of one session. `quiet` returns when no reply is in the making.

    `scorer` is the recogniser that scores pronunciation, where there is one.
    """

    def __init__(
        self,
        assessor: Assessor | None,
        *,
        heard: HeardSound,
        input_rate_hz: int,
        quiet: Callable[[], Awaitable[object]],
        emit: Emit,
        scorer: str = "",
    ) -> None:
        self._scorer = scorer
        self._assessor = assessor
        self._heard = heard
        self._input_rate_hz = input_rate_hz
        self._quiet = quiet
        self._emit = emit
        self._waiting: Mailbox[tuple[Assess, SaidTurn]] = Mailbox(_WAITING)

    def ask(self, command: Assess) -> None:
        """Takes a turn in; where too many wait already, nothing is said of it."""
        if self._assessor is not None:
            # The sound is taken now: the memory goes on.
            self._waiting.offer((command, self._said(command)))

    def close(self) -> None:
        """No more turns will come; those that wait are looked at."""
        self._waiting.close()

    async def run(self) -> None:
        """Makes remarks until it is closed."""
        while self._assessor is not None:
            try:
                command, turn = await self._waiting.get()
            except Closed:
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(_PATIENCE_S):
                    await self._quiet()
            with suppress(OverloadedError):
                async with aclosing(self._assessor.remarks(turn)) as remarks:
                    async for remark in remarks:
                        await self._emit(RemarkFound(command.turn_id, command.revision, remark))

    def _said(self, command: Assess) -> SaidTurn:
        rate_hz = self._input_rate_hz
        words = tuple(
            Word(w.text, w.start_sample / rate_hz, w.end_sample / rate_hz, w.confidence, w.pronunciation)
            for w in command.words
        )
        begin, end = (sample * HEARING_RATE_HZ // rate_hz for sample in (command.from_sample, command.to_sample))
        pcm, start = self._heard.stretch(begin, end)
        # Of a turn longer than the memory there is no sound that its words could be found in.
        sound = pcm if start == begin else b""
        return SaidTurn(command.text, words, sound, command.language, command.level, self._scorer)
