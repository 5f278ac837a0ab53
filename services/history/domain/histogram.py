"""How waits are spread: how many fall into each bucket, so that two histograms add up to that of both.

A bucket is a tenth wider than the one before it, so a percentile read from them is right within 5 %.
"""

import math
from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np

from services.history.domain.arrays import Numbers

_GROWTH: Final = 1.1
#: From 10 ms, where the first ends, to 30 s, where the last begins.
_BUCKETS: Final = 86
_FIRST_MS: Final = 10.0
#: What is told of a bucket: its middle; of the first, where it ends.
_TOLD_MS: Final = np.array([_FIRST_MS, *(_FIRST_MS * _GROWTH ** (bucket - 0.5) for bucket in range(1, _BUCKETS))])


class Waits(NamedTuple):
    """How long something was waited for: what half, 95 and 99 of a hundred did not exceed; 0 where nothing was."""

    p50_ms: float = 0.0
    p95_ms: float = 0.0
    p99_ms: float = 0.0


_PERCENTS: Final = np.array([50, 95, 99])


def bucket_of(wait_ms: float) -> int:
    """The bucket a wait falls into."""
    bucket = math.ceil(math.log(max(wait_ms, _FIRST_MS) / _FIRST_MS, _GROWTH) - 1e-9)
    return min(bucket, _BUCKETS - 1)


def waits_of(histograms: Mapping[str, Numbers], groups: int) -> list[Waits]:
    """The waits of each group, given how many fell into which bucket in each."""
    table = np.zeros((groups, _BUCKETS), np.int64)
    for bucket, numbers in histograms.items():
        table[:, int(bucket)] = numbers
    reached = table.cumsum(axis=1)
    wanted = np.maximum(1, np.ceil(np.outer(reached[:, -1], _PERCENTS) / 100))
    bucket = (reached[:, np.newaxis, :] < wanted[:, :, np.newaxis]).sum(axis=2)
    told = np.where(reached[:, -1:] > 0, _TOLD_MS[np.minimum(bucket, _BUCKETS - 1)], 0.0)
    return [Waits(*row) for row in told.tolist()]
