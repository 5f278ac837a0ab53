"""What paid providers use and cost: reserved before a call, settled after it, in plain Python."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, Protocol, Self, get_args

#: What vendors count.
Unit = Literal[
    "input_tokens", "output_tokens", "input_audio_tokens", "output_audio_tokens", "characters", "audio_seconds"
]


@dataclass(frozen=True, slots=True)
class Used:
    """What one call used; tokens of sound are not among the other tokens here."""

    input_tokens: int = 0
    output_tokens: int = 0
    input_audio_tokens: int = 0
    output_audio_tokens: int = 0
    characters: int = 0
    audio_seconds: float = 0.0

    @property
    def tokens(self) -> int:
        """All tokens."""
        return self.input_tokens + self.output_tokens + self.input_audio_tokens + self.output_audio_tokens

    def of(self, unit: Unit) -> float:
        """How much of one unit."""
        amount: float = getattr(self, unit)
        return amount


@dataclass(frozen=True, slots=True)
class Amount:
    """What a budget counts."""

    model_tokens: int = 0
    spoken_characters: int = 0
    money_micros: int = 0
    audio_seconds: int = 0

    @classmethod
    def of(cls, used: Used, cost_micros: int | None) -> Self:
        """What was used as a budget counts it; an unknown cost counts as none."""
        return cls(used.tokens, used.characters, cost_micros or 0, math.ceil(used.audio_seconds))


@dataclass(frozen=True, slots=True)
class Price:
    """What a model costs from a day on; an empty model is any of the provider's."""

    provider: str
    model: str
    since: date
    #: Money for a million of each unit, in the list's currency.
    per_million: Mapping[Unit, float]
    #: Where it was read; and whether that was the vendor's own page.
    source: str = ""
    confirmed: bool = True


@dataclass(frozen=True, slots=True)
class PriceList:
    """The prices that are known. What has none still counts in tokens, characters and seconds."""

    currency: str
    prices: Sequence[Price]

    def cost_micros(self, provider: str, model: str, used: Used, day: date) -> int | None:
        """What it cost, in millionths of the currency, by the newest price in force on that day; an estimate.

        None where no price is known, or none for something that was used.
        """
        price = self._price(provider, model, day)
        priced: Mapping[Unit, float] = price.per_million if price else {}
        if any(used.of(unit) > 0 and unit not in priced for unit in get_args(Unit)):
            return None
        # A price for a million of something is the millionths that one of it costs.
        return round(sum(used.of(unit) * each for unit, each in priced.items()))

    def _price(self, provider: str, model: str, day: date) -> Price | None:
        fitting = [
            price
            for price in self.prices
            if price.provider == provider and price.since <= day and (not price.model or model.startswith(price.model))
        ]
        return max(fitting, key=lambda price: (len(price.model), price.since), default=None)


class Spending(Protocol):
    """Where budgets are kept."""

    async def reserve(self, user_id: str, most: Amount) -> str:
        """Sets aside what a call may cost at most; returns the reservation.

        Raises ExhaustedError BUDGET_EXHAUSTED where the budget is used up, and UnavailableError where it can't be
        asked and the grace for that is used up too.
        """
        ...

    def settle(self, reservation_id: str, used: Amount) -> None:
        """Books what it did cost; never waits. An empty reservation, given in grace, books nothing."""
        ...
