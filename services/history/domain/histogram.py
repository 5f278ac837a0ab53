"""How waits are spread: counts side by side in one integer, so that adding two histograms is one addition.

A bucket is a tenth wider than the one before it, so a percentile read from them is right within 5 %.
"""

import math
import struct
from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate
from typing import Final

_GROWTH: Final = 1.1
#: From 10 ms, where the first ends, to 30 s, where the last begins.
BUCKETS: Final = 86
_FIRST_MS: Final = 10.0
#: Bits of one count: four thousand million waits fit.
_BITS: Final = 32


def one_wait(wait_ms: float) -> int:
    """The histogram of a single wait."""
    bucket = math.ceil(math.log(max(wait_ms, _FIRST_MS) / _FIRST_MS, _GROWTH) - 1e-9)
    return 1 << (min(bucket, BUCKETS - 1) * _BITS)


def waits(histogram: int) -> int:
    """How many waits are in it."""
    return sum(_counts(histogram))


def percentile_ms(histogram: int, percent: float) -> float:
    """The wait that `percent` of all do not exceed: the middle of its bucket; 0 where there are none."""
    reached = list(accumulate(_counts(histogram)))
    wanted = max(1, math.ceil(reached[-1] * percent / 100))
    if wanted > reached[-1]:
        return 0.0
    bucket = bisect_left(reached, wanted)
    return _FIRST_MS * _GROWTH ** (bucket - 0.5) if bucket else _FIRST_MS


def _counts(histogram: int) -> Sequence[int]:
    return struct.unpack(f"<{BUCKETS}I", histogram.to_bytes(BUCKETS * _BITS // 8, "little"))
