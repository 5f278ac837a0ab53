"""What providers cost, and how each did in each role, from what is counted by name."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from services.history.domain.histogram import Waits, waits_of
from services.history.domain.named import parts_of
from services.history.domain.sums import Sums


class Spent(NamedTuple):
    """What a provider is estimated to have cost; more than that where something had no price."""

    provider: str
    currency: str
    cost_micros: int
    unknown: bool


class Performance(NamedTuple):
    """How a provider did in one role."""

    provider: str
    role: str
    answered: int
    failed: int
    abandoned: int
    #: Why attempts failed.
    failures: dict[str, int]
    #: How soon it gave something.
    first: Waits


@dataclass(frozen=True, slots=True)
class Providers:
    """All that have a part in a span of time."""

    spent: tuple[Spent, ...] = ()
    performances: tuple[Performance, ...] = ()


def providers_of(sums: Sums) -> list[Providers]:
    """The providers of each group."""
    groups = range(len(sums.counts))
    spent: list[list[Spent]] = [[] for _ in groups]
    performances: list[list[Performance]] = [[] for _ in groups]
    nothing = np.zeros(len(groups), np.int64)
    unknown = sums.named_below("unknown")
    for name, costs in sums.named_below("cost").items():
        provider, currency = parts_of(name)
        unpriced = unknown.get(name, nothing).tolist()
        for group, (cost, times) in enumerate(zip(costs.tolist(), unpriced, strict=True)):
            if cost or times:
                spent[group].append(Spent(provider, currency, cost, bool(times)))
    for provider, role in dict.fromkeys(parts_of(name)[:2] for name in sums.named_below("tried")):
        for group, performance in _performances(sums, provider, role):
            performances[group].append(performance)
    return [Providers(tuple(costs), tuple(each)) for costs, each in zip(spent, performances, strict=True)]


def _performances(sums: Sums, provider: str, role: str) -> Iterator[tuple[int, Performance]]:
    """How it did in each group in which it was tried."""
    nothing = np.zeros(len(sums.counts), np.int64)
    tried = sums.named_below("tried", provider, role)
    ended = (tried.get(outcome, nothing).tolist() for outcome in ("answered", "failed", "abandoned"))
    failures = sums.each_below("cause", provider, role)
    first = waits_of(sums.named_below("first", provider, role), len(sums.counts))
    for group, (answered, failed, abandoned) in enumerate(zip(*ended, strict=True)):
        if answered or failed or abandoned:
            yield group, Performance(provider, role, answered, failed, abandoned, failures[group], first[group])
