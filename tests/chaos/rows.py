"""Prints what a run came to as a row of docs/reliability.md."""

from tests.chaos.storm import Outcome


def row(goal: int, reached: str, count: str, seed: int | None = None, command: str = "make chaos") -> None:
    """One row, below the heading of that table; without a seed where nothing is drawn at random."""
    print(f"| {goal} | {reached} | {count} | {'' if seed is None else seed} | `{command}` |")  # noqa: T201 (`make chaos` shows it)


def losses(outcome: Outcome) -> str:
    """What became of all that was promised."""
    faults = f"{outcome.lost} lost, {outcome.altered} altered, {outcome.doubled} doubled, {outcome.gaps} gaps"
    return f"{faults} of {outcome.promised} turns"
