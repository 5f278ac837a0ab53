"""How busy a process and its engine are, and what is left for replies that may be made for nothing."""

from dataclasses import dataclass
from enum import Enum
from typing import Final


class Strain(Enum):
    """Whether there is room for more than what is needed."""

    CALM = "calm"
    BUSY = "busy"
    OVERLOADED = "overloaded"


#: Replies made ahead for one turn, at most; then the tutor waits for the turn to end before it thinks.
TRIES: Final = {Strain.CALM: 3, Strain.BUSY: 1, Strain.OVERLOADED: 0}
#: So many times what is busy is too much.
_OVERLOAD: Final = 2


@dataclass(frozen=True, slots=True)
class Bearable:
    """What counts as busy: a loop that is late by so much, or so many replies that are being made at once."""

    lag_s: float
    replies: int

    def strain(self, lag_s: float, replies: int) -> Strain:
        """The worse of both."""
        share = max(lag_s / self.lag_s, replies / self.replies)
        if share >= _OVERLOAD:
            return Strain.OVERLOADED
        return Strain.BUSY if share >= 1 else Strain.CALM
