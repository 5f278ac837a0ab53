"""What a learner said before a turn: who has heard how their sentences end knows better whether this one does."""

from typing import Final

import numpy as np

from services.ai_engine.domain.roles import HEARING_RATE_HZ

_SAMPLE_BYTES: Final = 2
#: No judge of turn ends listens to more.
_SPAN_BYTES: Final = 8 * HEARING_RATE_HZ * _SAMPLE_BYTES
#: Between two turns it hears so much silence.
_APART: Final = HEARING_RATE_HZ
#: Less of somebody's speech says little, and may have been a cough.
_ENOUGH_BYTES: Final = HEARING_RATE_HZ * _SAMPLE_BYTES


class SpokenBefore:
    """The last seconds of earlier turns of a session, each with silence behind it."""

    def __init__(self) -> None:
        self.pcm = b""

    def add(self, turn: bytes, quiet: int) -> None:
        """Takes a turn that is over, with so many quiet samples at its end."""
        if len(turn) >= _ENOUGH_BYTES:
            self.pcm = (self.pcm + settled_after(turn, quiet, _APART))[-_SPAN_BYTES:]


def settled_after(pcm: bytes, quiet: int, long_enough: int) -> bytes:
    """The sound as it is when it has been quiet for `long_enough` samples, of which there are `quiet` at its end.

    What is quiet goes on, back and forth: silence after silence, and the noise of a room after its noise.
    """
    missing = long_enough - quiet
    if missing <= 0 or quiet <= 0:
        return pcm
    still = np.frombuffer(pcm, dtype="<i2")[-quiet:]
    return pcm + np.pad(still, (0, missing), mode="symmetric")[len(still) :].tobytes()
