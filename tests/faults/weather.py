"""What a wire does to what goes through it, and for how long: schedules of faults as data."""

import random
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Weather:
    """What happens on a wire, both ways. As it stands here: nothing."""

    latency_s: float = 0.0
    #: On top of it, at random up to this. What was sent first arrives first all the same.
    jitter_s: float = 0.0
    #: None: as fast as it goes.
    bytes_per_s: float | None = None
    #: Everything arrives in pieces of random length up to this. None: as it was sent.
    slice_bytes: int | None = None
    #: Nothing arrives, and nobody is told; it does when this is over.
    black_hole: bool = False
    #: What is connected is cut, and nobody can connect.
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Spell:
    """A weather for a while."""

    weather: Weather
    lasts_s: float


Schedule = tuple[Spell, ...]

FAIR: Final = Weather()
#: A phone far from its mast.
MOBILE: Final = Weather(latency_s=0.06, jitter_s=0.04, bytes_per_s=100_000, slice_bytes=1_400)
#: A microwave oven beside it.
WIRELESS: Final = Weather(latency_s=0.005, jitter_s=0.08, slice_bytes=200)
TUNNEL: Final = Weather(black_hole=True)
DOWN: Final = Weather(cut=True)


def changeable(chance: random.Random, cuts: int, *, longest_s: float) -> Schedule:
    """So many cuts at random moments, at most `longest_s` apart, and what else a wire does in between."""
    spells: list[Spell] = []
    for _ in range(cuts):
        between = chance.choice([FAIR, FAIR, MOBILE, WIRELESS, TUNNEL])
        spells += [Spell(between, chance.uniform(0, longest_s)), Spell(DOWN, chance.uniform(0, longest_s / 10))]
    return tuple(spells)
