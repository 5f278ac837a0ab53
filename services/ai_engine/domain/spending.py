"""What paid providers use and cost: reserved before a call, settled after it, in plain Python."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, Protocol

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


@dataclass(frozen=True, slots=True)
class Price:
    """What a model costs from a day on; an empty model is any of the provider's."""

    provider: str
    model: str
    since: date
    #: Money for a million of each unit, in the list's currency.
    per_million: Mapping[Unit, float]


@dataclass(frozen=True, slots=True)
class PriceList:
    """The prices that are known. What has none is taken to cost nothing: its tokens and characters still count."""

    currency: str
    prices: Sequence[Price]

    def cost_micros(self, provider: str, model: str, used: Used, day: date) -> int:
        """What it cost, in millionths of the currency, by the newest price in force on that day; an estimate."""
        price = self._price(provider, model, day)
        if price is None:
            return 0
        # A price for a million of something is the millionths that one of it costs.
        return round(sum(used.of(unit) * each for unit, each in price.per_million.items()))

    def amount(self, provider: str, model: str, used: Used, day: date) -> Amount:
        """The same as a budget counts it."""
        return Amount(used.tokens, used.characters, self.cost_micros(provider, model, used, day))

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
