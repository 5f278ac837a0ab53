"""Counts how each provider does in a session, until it is told with a reply; in plain Python."""

from dataclasses import replace
from typing import Final

from services.ai_engine.domain.run import ProviderAttempt

#: Kinds of attempts that are counted apart. Full: further kinds are not told.
_KINDS: Final = 64


class Attempts:
    """The attempts of one session since the last report, in the order in which each kind was first seen."""

    def __init__(self) -> None:
        self._told: dict[tuple[str, str, str, str], ProviderAttempt] = {}

    def add(self, attempt: ProviderAttempt) -> None:
        """Counts one more; it joins those that ended alike."""
        kind = (attempt.role, attempt.provider, attempt.outcome, attempt.cause)
        if known := self._told.get(kind):
            first_ms = attempt.first_ms if known.first_ms is None else known.first_ms
            self._told[kind] = replace(known, first_ms=first_ms, count=known.count + attempt.count)
        elif len(self._told) < _KINDS:
            self._told[kind] = attempt

    def take(self) -> tuple[ProviderAttempt, ...]:
        """Those since this was last asked."""
        told, self._told = tuple(self._told.values()), {}
        return told
