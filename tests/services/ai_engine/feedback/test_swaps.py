"""How much likelier a swap makes the sound, against all ways to lay sounds over steps, counted one by one."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ai_engine.feedback.swaps import Swap, gains

_BLANK = 3
_SOUNDS = st.integers(0, 2)


def _likelihood(heard: np.ndarray, expected: list[int]) -> float:
    """Of all strings of one column a step, those that are `expected` without repeats and blanks."""
    total = 0.0
    for path in itertools.product(range(_BLANK + 1), repeat=len(heard)):
        kept = [column for column, _ in itertools.groupby(path) if column != _BLANK]
        if kept == expected:
            total += math.exp(sum(heard[step, column] for step, column in enumerate(path)))
    return total


@given(
    expected=st.lists(_SOUNDS, min_size=1, max_size=3),
    swaps=st.lists(st.tuples(st.integers(0, 2), _SOUNDS), min_size=1, max_size=3),
    steps=st.integers(1, 5),
    seed=st.integers(0, 9),
)
def test_a_swap_gains_what_counting_every_path_says(
    expected: list[int], swaps: list[tuple[int, int]], steps: int, seed: int
) -> None:
    heard = np.log(np.random.default_rng(seed).dirichlet(np.ones(_BLANK + 1), steps))
    asked = [Swap(place % len(expected), other) for place, other in swaps]
    found = gains(heard, expected, asked, blank=_BLANK)
    usual = _likelihood(heard, expected)
    for swap, gain in zip(asked, found, strict=True):
        swapped = [swap.other if place == swap.place else each for place, each in enumerate(expected)]
        likelihood = usual and _likelihood(heard, swapped) / usual
        assert math.exp(gain) == pytest.approx(likelihood if usual else 1.0)


def test_sound_too_short_for_what_was_said_tells_nothing() -> None:
    assert gains(np.full((1, 4), math.log(0.25)), [0, 1], [Swap(0, 2)], blank=_BLANK) == [0.0]
