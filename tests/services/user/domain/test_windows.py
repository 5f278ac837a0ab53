"""Days and months by the calendar of a time zone, wherever its clock leaps."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.user.domain.windows import windows_at

INSTANTS = st.datetimes(datetime(1971, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 (naive bounds)


@given(INSTANTS, st.timezones())
def test_a_window_ends_in_the_moment_its_name_changes(now: datetime, zone: ZoneInfo) -> None:
    windows = windows_at(now, zone)
    for name, renews in ((windows.day, windows.day_renews), (windows.month, windows.month_renews)):
        before, after = (moment.astimezone(zone).date() for moment in (renews - timedelta(microseconds=1), renews))
        assert renews > now
        assert before.isoformat().startswith(name)
        assert not after.isoformat().startswith(name)


@pytest.mark.parametrize(
    ("zone", "now", "hours"),
    [
        ("Europe/Paris", datetime(2026, 3, 29, 0, 30, tzinfo=UTC), 21.5),
        ("Europe/Paris", datetime(2026, 10, 24, 22, 0, tzinfo=UTC), 25.0),
        # The clock leaps from 23:59:59 to 01:00: the day begins an hour late, by its own clock.
        ("Africa/Cairo", datetime(2026, 4, 23, 21, 0, tzinfo=UTC), 1.0),
    ],
)
def test_a_day_in_which_the_clock_is_changed_is_as_long_as_it_is(zone: str, now: datetime, hours: float) -> None:
    assert windows_at(now, ZoneInfo(zone)).day_renews - now == timedelta(hours=hours)


def test_a_month_begins_at_midnight_of_the_learner() -> None:
    now = datetime(2026, 12, 31, 12, 0, tzinfo=UTC)
    windows = windows_at(now, ZoneInfo("Pacific/Auckland"))
    assert (windows.day, windows.month) == ("2027-01-01", "2027-01")
    assert windows.month_renews == datetime(2027, 1, 31, 11, 0, tzinfo=UTC)
