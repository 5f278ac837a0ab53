"""Time that passes only when somebody waits for something."""

import heapq
import itertools
from collections.abc import Callable
from typing import Final

#: Whoever waits looks so often, besides whenever something happens.
_LOOK_S: Final = 0.05


class VirtualClock:
    """Does what is due, in order; what is due at one time happens in the order it was wanted."""

    def __init__(self) -> None:
        self.now = 0.0
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()

    def at(self, when: float, do: Callable[[], None]) -> None:
        """Wants something done at a time; at once where that has passed."""
        heapq.heappush(self._due, (max(when, self.now), next(self._numbers), do))

    def after(self, seconds: float, do: Callable[[], None]) -> None:
        """Wants something done in so many seconds."""
        self.at(self.now + seconds, do)

    def pass_until(self, happened: Callable[[], bool], within_s: float, wake_at: Callable[[], float | None]) -> bool:
        """Lets time pass until something has happened; False where it has not within `within_s`.

        `wake_at` is when somebody else wants to be woken: time stops there, too.
        """
        ends = self.now + within_s
        while not happened():
            if self.now >= ends:
                return False
            woken = wake_at()
            due = self._due[0][0] if self._due else ends
            self.now = max(self.now, min(due, ends, self.now + _LOOK_S, ends if woken is None else woken))
            while self._due and self._due[0][0] <= self.now:
                heapq.heappop(self._due)[2]()
        return True
