"""How much better sound is explained when one expected sound is swapped for another, by the CTC model that heard it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

_NEVER: Final = -np.inf
_Logs = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Swap:
    """Another sound in the place of the expected one; both are columns of what the model puts out."""

    place: int
    other: int


def gains(heard: _Logs, expected: Sequence[int], swaps: Sequence[Swap], *, blank: int) -> list[float]:
    """For each swap the log of how many times likelier the sound becomes by it.

    `heard` is log probabilities, (steps, columns). All ways to lay the expected sounds over the steps count, so no
    boundaries are needed. Where there are fewer steps than sounds nothing is likelier than anything: all are 0.
    """
    lattice = _Lattice(heard, expected, blank)
    return lattice.gains(swaps) if np.isfinite(lattice.total) else [0.0] * len(swaps)


class _Lattice:
    """Expected sounds with blanks around each: state 2k+1 is sound k."""

    def __init__(self, heard: _Logs, expected: Sequence[int], blank: int) -> None:
        self._heard = heard
        self._states = np.full(2 * len(expected) + 1, blank)
        self._states[1::2] = expected
        # Two different sounds may follow each other without a blank.
        self._jump = np.zeros(len(self._states), bool)
        self._jump[3::2] = self._states[3::2] != self._states[1:-2:2]
        self._said = heard[:, self._states]
        self._reached = self._forward()
        self._ahead = self._backward()
        self.total = float(np.logaddexp(self._reached[-1, -1], self._reached[-1, -2]))

    def gains(self, swaps: Sequence[Swap]) -> list[float]:
        """All swaps side by side: only the paths through the swapped state differ, and every path goes through it."""
        states = np.array([2 * swap.place + 1 for swap in swaps])
        others = np.array([swap.other for swap in swaps])
        before, after = np.maximum(states - 2, 0), np.minimum(states + 2, len(self._states) - 1)
        jump_in = np.where((states >= 3) & (others != self._states[before]), 0.0, _NEVER)
        jump_out = np.where((states + 2 < len(self._states)) & (others != self._states[after]), 0.0, _NEVER)
        here = np.where(states == 1, self._heard[0, others], _NEVER)
        through = np.full(len(swaps), _NEVER)
        for step in range(1, len(self._heard)):
            ahead = self._ahead[step] + self._said[step]
            through = np.logaddexp(through, here + np.logaddexp(ahead[states + 1], ahead[after] + jump_out))
            reached = self._reached[step - 1]
            here = np.logaddexp(np.logaddexp(here, reached[states - 1]), reached[before] + jump_in)
            here = here + self._heard[step, others]
        through = np.logaddexp(through, np.where(states == len(self._states) - 2, here, _NEVER))
        return [float(likelier) for likelier in through - self.total]

    def _forward(self) -> _Logs:
        """How likely the sound up to each step is, ending in each state."""
        reached = np.full(self._said.shape, _NEVER)
        reached[0, :2] = self._said[0, :2]
        for step in range(1, len(reached)):
            last, now = reached[step - 1], reached[step]
            now[:] = last
            now[1:] = np.logaddexp(now[1:], last[:-1])
            now[2:] = np.logaddexp(now[2:], np.where(self._jump[2:], last[:-2], _NEVER))
            now += self._said[step]
        return reached

    def _backward(self) -> _Logs:
        """How likely the sound after each step is, beginning from each state."""
        ahead = np.full(self._said.shape, _NEVER)
        ahead[-1, -2:] = 0.0
        for step in range(len(ahead) - 2, -1, -1):
            coming, now = ahead[step + 1] + self._said[step + 1], ahead[step]
            now[:] = coming
            now[:-1] = np.logaddexp(now[:-1], coming[1:])
            now[:-2] = np.logaddexp(now[:-2], np.where(self._jump[2:], coming[2:], _NEVER))
        return ahead
