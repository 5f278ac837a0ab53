"""Has a judge look at a turn in such a way that one who fails takes nothing else with it."""

import logging
from typing import Final

from services.ai_engine.domain.remarks import Judge, Remark, SaidTurn

_log: Final = logging.getLogger(__name__)


def judged(judge: Judge, turn: SaidTurn) -> Remark | None:
    """What the judge remarks; None where it fails."""
    try:
        return judge(turn)
    except Exception as error:
        # A remark is a courtesy: the others are made without it. What was said stays out of the log.
        _log.warning("a remark could not be made", extra={"error": type(error).__name__})
        return None
