"""Measures how busy this process and its engine are, and says so when it changes."""

from collections import deque
from collections.abc import Callable
from statistics import fmean
from typing import Final

from mesh.clock import Clock
from services.conversation.domain.strain import Bearable, Strain

EVERY_S: Final = 0.5
#: Delays are averaged over so many looks, for one alone says little; of replies the most counts.
_LOOKS: Final = 4


class StrainWatch:
    """Looks twice a second how late the loop is, and how many replies are being made for all sessions."""

    def __init__(self, bearable: Bearable, clock: Clock, changed: Callable[[Strain], None]) -> None:
        self._bearable = bearable
        self._clock = clock
        self._changed = changed
        self._making: dict[str, set[str]] = {}
        self.strain = Strain.CALM

    def making(self, session_id: str) -> set[str]:
        """The replies that are being made for a session; it keeps them up to date, and is to be forgotten."""
        return self._making.setdefault(session_id, set())

    def forget(self, session_id: str) -> None:
        """A session has ended."""
        self._making.pop(session_id, None)

    async def run(self) -> None:
        """Looks for ever."""
        lags: deque[float] = deque(maxlen=_LOOKS)
        replies: deque[int] = deque(maxlen=_LOOKS)
        while True:
            due = self._clock.now() + EVERY_S
            await self._clock.sleep(EVERY_S)
            lags.append(self._clock.now() - due)
            replies.append(sum(map(len, self._making.values())))
            strain = self._bearable.strain(fmean(lags), max(replies))
            if strain is not self.strain:
                self.strain = strain
                self._changed(strain)
