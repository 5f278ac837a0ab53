"""Finds out whether others want the processors, by how long work that gives way to all is kept from them."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

#: After a wait there is no leisure for so many times as long. Where talking needs every processor, to take what is left
#: of them would still slow it down, by the caches and what else they share.
_RESTS: Final = 10


class Leisure:
    """Whether there is time for what is slow: always on a machine that is idle, seldom on one that is full."""

    def __init__(
        self, now: Callable[[], float] = time.monotonic, worked: Callable[[], float] = time.process_time
    ) -> None:
        """`worked` counts the seconds in which this process had a processor."""
        self._now = now
        self._worked = worked
        self._from = now()

    def is_there(self) -> bool:
        """Whether to begin something slow now."""
        return self._now() >= self._from

    @contextmanager
    def spent(self) -> Iterator[None]:
        """Measures what the block was kept waiting."""
        begun_s, worked_s = self._now(), self._worked()
        yield
        kept_waiting_s = (self._now() - begun_s) - (self._worked() - worked_s)
        self._from = self._now() + _RESTS * kept_waiting_s
