"""The process that judges turns by long lists and models: reads one after another, and ends with its input."""

import os
import pickle
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import BinaryIO, Final

from mesh.precedence import give_way
from services.ai_engine.domain.remarks import Judge, Remark, SaidTurn
from services.ai_engine.feedback.judging import judged
from services.ai_engine.feedback.leisure import Leisure

_NICENESS: Final = 10
#: The argument that asks for guesses at sounds too.
SOUNDS: Final = "sounds"


def main(arguments: Sequence[str]) -> None:
    """Answers each turn with remarks and None after the last, until there are no more turns.

    What is slow is left out of a turn that is sent as hurried, and while others want the processors.
    """
    _give_way()
    quick, slow = _judges(arguments)
    leisure = Leisure()
    while True:
        try:
            turn, hurried = pickle.load(sys.stdin.buffer)  # Written by the process that started this one.
        except EOFError:
            return
        _judge(turn, quick)
        if not hurried and leisure.is_there():
            with leisure.spent():
                _judge(turn, slow)
        _say(sys.stdout.buffer, None)


def _judge(turn: SaidTurn, judges: Sequence[Judge]) -> None:
    for judge in judges:
        if (remark := judged(judge, turn)) is not None:
            _say(sys.stdout.buffer, remark)


def _give_way() -> None:
    """Talking goes first: a processor on which only this process works counts as free for every other."""
    if sys.platform == "linux":
        # Some sandboxes forbid it, and judge all the same.
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    give_way(_NICENESS)


def _judges(arguments: Sequence[str]) -> tuple[Sequence[Judge], Sequence[Judge]]:
    """Those that take no time, and those that do. Importing them is what takes long here, and memory."""
    from services.ai_engine.feedback.vocabulary import LevelList

    slow: list[Judge] = []
    if SOUNDS in arguments:
        from services.ai_engine.feedback.sounds import SoundGuesses

        slow.append(SoundGuesses())
    return [LevelList()], slow


def _say(out: BinaryIO, remark: Remark | None) -> None:
    pickle.dump(remark, out)
    out.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
