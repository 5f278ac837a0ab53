"""What is counted by name, because nobody knows beforehand what there will be: waits, kinds of slips, providers.

A name is a path of parts, so that those of one kind are found again: "wait 23" counts waits of bucket 23.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

_BETWEEN: Final = " "
_LONGEST_PART: Final = 64
#: Names that are remembered: an installation has a few hundred, and each reply counts ten of them.
_REMEMBERED: Final = 10_000

Named = Mapping[str, int]


@lru_cache(_REMEMBERED)
def name_of(*parts: str | int) -> str:
    """The name of these parts, each as one word."""
    return _BETWEEN.join(str(part)[:_LONGEST_PART].replace(_BETWEEN, "_") for part in parts)


def beginning_of(*parts: str) -> str:
    """What names of these parts and more begin with."""
    return name_of(*parts) + _BETWEEN


def parts_of(rest: str) -> tuple[str, ...]:
    """The parts of what follows a beginning."""
    return tuple(rest.split(_BETWEEN))


def added(some: Iterable[Named]) -> dict[str, int]:
    """The sums."""
    sums: dict[str, int] = {}
    for named in some:
        for name, number in named.items():
            sums[name] = sums.get(name, 0) + number
    return sums
