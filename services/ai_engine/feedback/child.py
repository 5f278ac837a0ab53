"""The process that judges turns by long lists and models: reads one after another, and ends with its input."""

import os
import pickle
import sys
from collections.abc import Sequence
from typing import BinaryIO, Final

from services.ai_engine.domain.remarks import Judge, Remark
from services.ai_engine.feedback.judging import judged

#: The argument that asks for guesses at sounds too.
SOUNDS: Final = "sounds"
#: Talking goes first.
_NICENESS: Final = 10


def main(arguments: Sequence[str]) -> None:
    """Answers each turn with remarks and None after the last, until there are no more turns.

    What is slow is left out of a turn that is sent as hurried.
    """
    quick, slow = _judges(arguments)
    os.nice(_NICENESS)
    while True:
        try:
            turn, hurried = pickle.load(sys.stdin.buffer)  # Written by the process that started this one.
        except EOFError:
            return
        for judge in quick if hurried else (*quick, *slow):
            if (remark := judged(judge, turn)) is not None:
                _say(sys.stdout.buffer, remark)
        _say(sys.stdout.buffer, None)


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
