"""Decides whether a provider that failed is worth another try, in plain Python."""

from typing import Literal

BreakerState = Literal["closed", "open", "trying"]


class Breaker:
    """Opens after some failures in a row; after a rest it lets one call through to see whether all is well again.

    Every method takes the time it is now, in seconds of one clock.
    """

    def __init__(self, *, failures: int = 3, rest_s: float = 10.0) -> None:
        self._most_failures = failures
        self._rest_s = rest_s
        self._failures = 0
        self._closed_until_s: float | None = None
        self._trying = False

    @property
    def state(self) -> BreakerState:
        """What it does with the next call: lets it through, keeps it away, or waits for the one it let through."""
        if self._closed_until_s is None:
            return "closed"
        return "trying" if self._trying else "open"

    def admits(self, now: float) -> bool:
        """Whether a call may be made; one that is let through after a rest has to be told about."""
        if self._closed_until_s is None:
            return True
        if now < self._closed_until_s:
            return False
        # Until this try is told about, or forgotten about for as long as a rest, nobody else tries.
        self._trying, self._closed_until_s = True, now + self._rest_s
        return True

    def succeeded(self) -> None:
        """The provider did what it was asked."""
        self._failures, self._closed_until_s, self._trying = 0, None, False

    def failed(self, now: float) -> None:
        """The provider failed."""
        self._failures += 1
        if self._trying or self._failures >= self._most_failures:
            self._closed_until_s, self._trying = now + self._rest_s, False
