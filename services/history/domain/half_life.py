"""How fast slips of a kind become rarer: the days in which half as many are made."""

import math
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Days: TypeAlias = NDArray[np.floating[Any] | np.integer[Any]]

#: With fewer slips, or over fewer days, nothing can be said.
_LEAST_SLIPS: Final = 8
_LEAST_DAYS: Final = 14
#: What becomes rarer more slowly than this does not become rarer.
_LONGEST_DAYS: Final = 730.0
#: Slips that all but vanish.
_STEEPEST: Final = 40.0
_STEPS: Final = 60


def half_life_days(days: Days, turns: Days, slips: Days) -> float | None:
    """The half-life, given days by number with their turns and slips; None where slips do not become rarer.

    Slips are taken to come at a rate for each turn that falls by the same part every day (a Poisson regression on the
    day, solved by Newton's method).
    """
    talked = turns > 0
    days, turns, slips = days[talked], turns[talked], slips[talked]
    if slips.sum() < _LEAST_SLIPS or (length := float(np.ptp(days))) < _LEAST_DAYS:
        return None
    # Places from 0 to 1, so that nothing overflows however long it is.
    decay = -_slope((days - days.min()) / length, turns, slips) / length
    return math.log(2) / decay if decay > math.log(2) / _LONGEST_DAYS else None


def _slope(place: Days, turns: Days, slips: Days) -> float:
    """By how much the logarithm of the rate changes from the first place to the last."""
    wanted = float(place @ slips / slips.sum())
    slope = 0.0
    for _ in range(_STEPS):
        # The level that fits best for this slope has a closed form; one unknown is left.
        weights = turns * np.exp(slope * place)
        mean = float(place @ weights / weights.sum())
        spread = float((place - mean) ** 2 @ weights / weights.sum())
        step = max(-_STEEPEST, min(_STEEPEST, (wanted - mean) / max(spread, 1e-9)))
        slope = max(-_STEEPEST, min(_STEEPEST, slope + step))
        if abs(step) < 1e-9:
            break
    return slope
