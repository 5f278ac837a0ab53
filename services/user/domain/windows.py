"""The day and the month a budget counts in, as the calendar of the learner's time zone has them."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo


@dataclass(frozen=True, slots=True)
class Windows:
    """The day and the month an instant lies in, by name ("2026-11-27", "2026-11"), and when each is over.

    Names follow the calendar, not the clock: who changes the time zone can't use the same day twice.
    """

    day: str
    month: str
    day_renews: datetime
    month_renews: datetime


def windows_at(now: datetime, zone: tzinfo) -> Windows:
    """The windows `now` lies in for somebody in `zone`."""
    today = now.astimezone(zone).date()
    next_month = (today.replace(day=1) + timedelta(days=31)).replace(day=1)
    return Windows(
        day=today.isoformat(),
        month=f"{today:%Y-%m}",
        day_renews=_midnight(today + timedelta(days=1), zone),
        month_renews=_midnight(next_month, zone),
    )


def _midnight(day: date, zone: tzinfo) -> datetime:
    """When `day` begins. Where the clock leaps over midnight, or over the whole day, that is the moment of the leap."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
