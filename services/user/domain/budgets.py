"""Budgets: what a person may use at once, a day and a month, and what is set aside of it."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Final, Protocol, Self

from mesh.errors import BudgetExhaustedError
from services.user.domain.windows import Windows

#: In settings and overrides: this amount has no bound.
UNBOUNDED: Final = -1
_NAMES: Final = {
    "concurrent_sessions": "sessions at once",
    "audio_seconds": "seconds of talk for today",
    "model_tokens": "model tokens for today",
    "spoken_characters": "spoken characters for today",
    "money_micros_day": "money for today",
    "money_micros_month": "money for this month",
}


@dataclass(frozen=True, slots=True)
class Amounts:
    """What is used, or may be, of everything that is counted."""

    concurrent_sessions: int = 0
    audio_seconds: int = 0
    model_tokens: int = 0
    spoken_characters: int = 0
    money_micros: int = 0

    def __add__(self, other: "Amounts") -> "Amounts":
        return Amounts(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(Amounts)))

    def beyond(self, earlier: "Amounts") -> "Amounts":
        """What came on top of `earlier`; nothing where less is told than before."""
        return Amounts(*(max(0, getattr(self, each.name) - getattr(earlier, each.name)) for each in fields(Amounts)))


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of a person; None is no bound. Fields are named as in the contract's Budget."""

    concurrent_sessions: int | None = None
    audio_seconds: int | None = None
    model_tokens: int | None = None
    spoken_characters: int | None = None
    money_micros_day: int | None = None
    money_micros_month: int | None = None

    @classmethod
    def of(cls, *levels: "Overrides") -> Self:
        """The limits where the first of the `levels` that says something about an amount counts."""
        found: dict[str, int | None] = {}
        for field in fields(cls):
            said = [value for level in levels if (value := getattr(level, field.name)) is not None]
            found[field.name] = said[0] if said and said[0] != UNBOUNDED else None
        return cls(**found)


@dataclass(frozen=True, slots=True)
class Overrides:
    """What is said about a person, a role or everybody: None says nothing, -1 that there is no bound."""

    concurrent_sessions: int | None = None
    audio_seconds: int | None = None
    model_tokens: int | None = None
    spoken_characters: int | None = None
    money_micros_day: int | None = None
    money_micros_month: int | None = None

    def over(self, earlier: "Overrides") -> "Overrides":
        """What counts where this is said after `earlier`: of each amount, the last that was said."""
        said = {name: value for name in self.__dataclass_fields__ if (value := getattr(self, name)) is not None}
        return replace(earlier, **said)


@dataclass(frozen=True, slots=True)
class Reservation:
    """Something set aside. It counts until it is settled, or its time is over; `booked` of it is used by now."""

    reservation_id: str
    user_id: str
    amounts: Amounts
    booked: Amounts
    lifetime_s: int
    expire_time_us: int
    settled: bool = False
    #: What it is for; the next for the same takes its place. Empty: nothing in particular.
    purpose: str = ""

    def holds(self, now_us: int) -> bool:
        """Whether it still keeps something from others."""
        return not self.settled and self.expire_time_us > now_us


@dataclass(frozen=True, slots=True)
class Account:
    """A person's budget at one moment: the limits, what was used in the windows, and what is set aside."""

    limits: Limits
    windows: Windows
    used_today: Amounts
    used_this_month: Amounts
    reserved: Sequence[Amounts] = ()

    def left(self) -> Limits:
        """What may still be used or set aside; never below nothing."""
        taken, bounds = self._taken(), self.limits
        return Limits(**{name: _less(getattr(bounds, name), taken[name]) for name in _NAMES})

    def refusal(self, wanted: Amounts) -> BudgetExhaustedError | None:
        """Why `wanted` can't be set aside; None where it can.

        Who wants a session is refused where anything at all is used up, too: it would break off at once.
        """
        left, asked = self.left(), _by_name(wanted)
        for name in _NAMES:
            bound = getattr(left, name)
            used_up = bound == 0 and getattr(self.limits, name) > 0 and wanted.concurrent_sessions > 0
            if bound is not None and (used_up or bound < asked[name]):
                return self._exhausted(name)
        return None

    def _taken(self) -> dict[str, int]:
        reserved = sum(self.reserved, Amounts())
        taken = _by_name(self.used_today + reserved)
        return taken | {"money_micros_month": self.used_this_month.money_micros + reserved.money_micros}

    def _exhausted(self, name: str) -> BudgetExhaustedError:
        limit = getattr(self.limits, name)
        metadata = {"amount": name, "limit": str(limit)}
        if renews := _renews(name, self.windows):
            metadata["renew_time"] = renews.isoformat().replace("+00:00", "Z")
            then = f"it renews at {renews:%Y-%m-%d %H:%M} UTC."
        else:
            then = "end a session first."
        return BudgetExhaustedError(f"The budget of {limit} {_NAMES[name]} is used up; {then}", metadata=metadata)


def _by_name(amounts: Amounts) -> dict[str, int]:
    return {
        "concurrent_sessions": amounts.concurrent_sessions,
        "audio_seconds": amounts.audio_seconds,
        "model_tokens": amounts.model_tokens,
        "spoken_characters": amounts.spoken_characters,
        "money_micros_day": amounts.money_micros,
        "money_micros_month": amounts.money_micros,
    }


def _renews(name: str, windows: Windows) -> datetime | None:
    match name:
        case "concurrent_sessions":
            return None
        case "money_micros_month":
            return windows.month_renews
        case _:
            return windows.day_renews


def _less(bound: int | None, taken: int) -> int | None:
    return None if bound is None else max(0, bound - taken)


class Budgets(Protocol):
    """Keeps budgets. Each call is one transaction, and alone with the person's."""

    async def account(self, user_id: str, now: datetime) -> Account:
        """How the person's budget stands.

        Raises:
            NotFoundError: there is no such person.
        """
        ...

    async def reserve(self, reservation: Reservation, now: datetime) -> BudgetExhaustedError | None:
        """Sets something aside, or says why it can't be. What was set aside before for the same purpose ends now.

        Raises:
            NotFoundError: there is no such person.
        """
        ...

    async def book(
        self, reservation_id: str, used: Amounts, now: datetime, *, settle: bool
    ) -> BudgetExhaustedError | None:
        """Books what was used of a reservation since it was made. Then settles it, or renews it, or says why it can't.

        Raises:
            NotFoundError: there is no such reservation, or it was settled long ago.
        """
        ...

    async def prune(self, now_us: int) -> int:
        """Forgets reservations that ended two hours ago, and days and months that closed 400 days ago; how many."""
        ...

    async def overrides(self, subject: str) -> Overrides:
        """What is said about a person, by id, or a role, by name."""
        ...

    async def override(self, subject: str, said: Overrides) -> None:
        """Says this about a person or a role from now on."""
        ...
