"""The one form every bench reports in, for scripts and for people."""

import math
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.table import Table

from cli.output import MARKS, console


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured quantity: a value, or percentiles; with a goal for some of them, or none."""

    name: str
    unit: str
    #: By "value", or by "p50", "p95", "p99".
    measured: dict[str, float]
    #: Bounds by the same keys: "≤" unless `at_least`.
    goal: dict[str, float] = field(default_factory=dict)
    at_least: bool = False

    @property
    def met(self) -> bool | None:
        """Whether every goal is met; None where there is none."""
        if not self.goal:
            return None
        if self.at_least:
            return all(self.measured[key] >= bound for key, bound in self.goal.items())
        return all(self.measured[key] <= bound for key, bound in self.goal.items())

    def as_json(self) -> dict[str, Any]:
        """For scripts."""
        rounded = {key: _rounded(value) for key, value in self.measured.items()}
        return {"name": self.name, "unit": self.unit, **rounded, "goal": self._goal_json(), "met": self.met}

    def _goal_json(self) -> dict[str, Any] | float | None:
        if not self.goal:
            return None
        return self.goal["value"] if set(self.goal) == {"value"} else self.goal

    def row(self) -> tuple[str, str, str, str]:
        """For people: name, measured, goal, mark."""
        sign = "≥" if self.at_least else "≤"
        measured = " / ".join(f"{_rounded(value):g}" for value in self.measured.values())
        goal = " / ".join(f"{sign} {self.goal[key]:g}" if key in self.goal else "any" for key in self.measured)
        mark = "" if self.met is None else MARKS["right" if self.met else "wrong"]
        keys = "" if set(self.measured) == {"value"} else f" ({' / '.join(self.measured)})"
        return self.name + keys, f"{measured} {self.unit}", goal if self.goal else "", mark


@dataclass(frozen=True, slots=True)
class Measured:
    """What a part of a bench found."""

    #: Turns, or whatever was repeated most.
    n: int
    figures: Sequence[Figure]


@dataclass(frozen=True, slots=True)
class Report:
    """What one bench found."""

    bench: str
    #: Turns, or whatever was repeated most.
    n: int
    figures: Sequence[Figure]
    #: What chance was drawn from, where there was any.
    seed: int | None = None

    def as_json(self) -> dict[str, Any]:
        """For scripts."""
        return {
            "bench": self.bench,
            "n": self.n,
            "seed": self.seed,
            "machine": machine(),
            "figures": [figure.as_json() for figure in self.figures],
        }

    def show(self) -> None:
        """Prints a table for people."""
        drawn = "" if self.seed is None else f"seed {self.seed}; "
        title = f"viva bench {self.bench} (n = {self.n}; {drawn}{machine()})"
        table = Table("figure", "measured", "goal", "", title=title)
        for figure in self.figures:
            table.add_row(*figure.row())
        console().print(table)


def percentiles(name: str, unit: str, values: Sequence[float], goal: dict[str, float] | None = None) -> Figure:
    """A figure of the 50th, 95th and 99th percentile; values may not be empty."""
    measured = {f"p{percent}": percentile(values, percent) for percent in (50, 95, 99)}
    return Figure(name, unit, measured, goal or {})


def single(name: str, unit: str, value: float, goal: float | None = None, *, at_least: bool = False) -> Figure:
    """A figure of one value."""
    return Figure(name, unit, {"value": value}, {} if goal is None else {"value": goal}, at_least)


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that `percent` of all do not exceed."""
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


def machine() -> str:
    """What this was measured on."""
    return f"{os.cpu_count()} processors, {_processor()}, {platform.system()}, Python {platform.python_version()}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def _rounded(value: float) -> float:
    return round(value, 2 if abs(value) < 100 else 1)
