"""Days of a time zone: when they begin, and quarters of an hour put together by day."""

from bisect import bisect_left
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

import numpy as np

from services.history.domain.arrays import Numbers, Rows
from services.history.domain.columns import Columns
from services.history.domain.sums import Sums

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY: Final = timedelta(days=1)


def begin_of(day: date, zone: tzinfo) -> datetime:
    """When a day begins in a time zone. Where midnight is skipped, the day begins with the hour after."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def begins_a_day(time_us: int, zone: tzinfo) -> bool:
    """Whether a day of the time zone begins then."""
    return _begin_us(_day_of(time_us, zone), zone) == time_us


def days_of(start_us: Numbers, zone: tzinfo) -> tuple[list[date], Rows]:
    """The days, and which of them each row belongs to; rows come in order of time, so only the first is looked up."""
    days: list[date] = []
    day_of = np.zeros(len(start_us), np.intp)
    starts = start_us.tolist()
    begin = 0
    while begin < len(starts):
        day = _day_of(starts[begin], zone)
        end = max(begin + 1, bisect_left(starts, _begin_us(day + _DAY, zone), begin))
        day_of[begin:end] = len(days)
        days.append(day)
        begin = end
    return days, day_of


def by_day(columns: Columns, zone: tzinfo) -> Columns:
    """The same with a row for each day, of no conversation: in this time zone, days and weeks come out alike."""
    days, day_of = days_of(columns.start_us, zone)
    sums = Sums.of(columns, np.ones(len(columns), np.bool_), day_of, len(days), b"")
    day_of_word, word = np.nonzero(np.unpackbits(sums.vocabulary, axis=1, bitorder="little"))
    day_of_name, name = np.nonzero(sums.named)
    return Columns(
        conversations=("",),
        scenarios=("",),
        names=columns.names,
        start_us=columns.start_us[np.searchsorted(day_of, np.arange(len(days)))],
        conversation=np.zeros(len(days), np.int32),
        counts=sums.counts,
        word_count=np.bincount(day_of_word, minlength=len(days)),
        word=word.astype(np.uint16),
        named_count=np.bincount(day_of_name, minlength=len(days)),
        name=name.astype(np.int32),
        named=sums.named[day_of_name, name],
    )


def _day_of(time_us: int, zone: tzinfo) -> date:
    return (_EPOCH + timedelta(microseconds=time_us)).astimezone(zone).date()


def _begin_us(day: date, zone: tzinfo) -> int:
    return (begin_of(day, zone) - _EPOCH) // timedelta(microseconds=1)
