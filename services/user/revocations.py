"""Tells every process what was ended, so that access tokens are refused before they expire."""

from dataclasses import dataclass
from typing import Final

from mesh.clock import Clock
from services.user.domain.keeping import Revocation, Standings

#: How far back is told to who asks for the first time: no access token holds longer.
LONGEST_ACCESS_US: Final = 3_600_000_000
#: How far answers overlap. What was ended in a transaction that others overtook is committed well within this.
_OVERLAP_US: Final = 30_000_000
_MOST: Final = 10_000


@dataclass(frozen=True, slots=True)
class Told:
    """One answer, and from when on to ask the next time."""

    revocations: list[Revocation]
    next_start_us: int


class Revocations:
    """Looks up what was ended, by the clock of whoever ended it."""

    def __init__(self, *, standings: Standings, clock: Clock) -> None:
        self._standings = standings
        self._clock = clock

    async def since(self, start_us: int | None) -> Told:
        """What was ended from then on, oldest first, at most 10,000; None is the last hour."""
        now_us = int(self._clock.wall().timestamp() * 1_000_000)
        found = await self._standings.ended_since(now_us - LONGEST_ACCESS_US if start_us is None else start_us, _MOST)
        more = len(found) == _MOST
        return Told(found, found[-1].time_us if more else now_us - _OVERLAP_US)
