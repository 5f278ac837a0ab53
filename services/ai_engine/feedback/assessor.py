"""Has every judge look at a turn: those that take no time at once, the others in a process of their own."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from services.ai_engine.domain.remarks import Judge, Remark, SaidTurn
from services.ai_engine.feedback.apart import JudgesApart
from services.ai_engine.feedback.judging import judged


class Assessor:
    """The judges of all sessions."""

    def __init__(self, at_once: Sequence[Judge], apart: JudgesApart | None = None) -> None:
        self._at_once = tuple(at_once)
        self._apart = apart

    async def remarks(self, turn: SaidTurn) -> AsyncGenerator[Remark, None]:
        """What there is to say of it, each as soon as it is found.

        Raises:
            OverloadedError: too many turns wait for the judges apart; what the others remarked came before.
        """
        for judge in self._at_once:
            if (remark := judged(judge, turn)) is not None:
                yield remark
        if self._apart is not None:
            async with aclosing(self._apart.remarks(turn)) as found:
                async for remark in found:
                    yield remark
