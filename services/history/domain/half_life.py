"""How fast slips of a kind become rarer: the days in which half as many are made."""

import math
from collections.abc import Sequence
from typing import Final

#: With fewer slips, or over fewer days, nothing can be said.
_LEAST_SLIPS: Final = 8
_LEAST_DAYS: Final = 14
#: What becomes rarer more slowly than this does not become rarer.
_LONGEST_DAYS: Final = 730.0
#: Slips that all but vanish.
_STEEPEST: Final = 40.0
_STEPS: Final = 60


def half_life_days(talked: Sequence[tuple[int, int, int]]) -> float | None:
    """The half-life, given days by number with their turns and slips; None where slips do not become rarer.

    Slips are taken to come at a rate for each turn that falls by the same part every day (a Poisson regression on the
    day, solved by Newton's method).
    """
    days = [(day, turns, slips) for day, turns, slips in talked if turns]
    if sum(slips for _, _, slips in days) < _LEAST_SLIPS:
        return None
    first, last = min(day for day, _, _ in days), max(day for day, _, _ in days)
    if last - first < _LEAST_DAYS:
        return None
    # Places from 0 to 1, so that nothing overflows however long it is.
    decay = -_slope([((day - first) / (last - first), turns, slips) for day, turns, slips in days]) / (last - first)
    return math.log(2) / decay if decay > math.log(2) / _LONGEST_DAYS else None


def _slope(days: Sequence[tuple[float, int, int]]) -> float:
    """By how much the logarithm of the rate changes from the first place to the last."""
    wanted = sum(place * slips for place, _, slips in days) / sum(slips for _, _, slips in days)
    slope = 0.0
    for _ in range(_STEPS):
        # The level that fits best for this slope has a closed form; one unknown is left.
        weights = [(place, turns * math.exp(slope * place)) for place, turns, _ in days]
        whole = sum(weight for _, weight in weights)
        mean = sum(place * weight for place, weight in weights) / whole
        spread = sum((place - mean) ** 2 * weight for place, weight in weights) / whole
        step = max(-_STEEPEST, min(_STEEPEST, (wanted - mean) / max(spread, 1e-9)))
        slope = max(-_STEEPEST, min(_STEEPEST, slope + step))
        if abs(step) < 1e-9:
            break
    return slope
