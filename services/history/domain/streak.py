"""How many days in a row a learner talked. A day missed now and then is forgiven."""

from collections.abc import Set
from datetime import date, timedelta
from typing import Final

#: One missed day is forgiven in so many.
_GRACE_EVERY: Final = 7
_DAY: Final = timedelta(days=1)


def streak_days(talked: Set[date], today: date) -> int:
    """Days of the streak that goes on today: those with talk, and those forgiven between them.

    Today is not missed before it is over. One day of every seven may be missed; two in a row end a streak.
    """
    day = today if today in talked else today - _DAY
    length = 0
    forgiven: date | None = None
    while True:
        if day not in talked:
            if day - _DAY not in talked or (forgiven is not None and (forgiven - day).days < _GRACE_EVERY):
                return length
            forgiven = day
        length += 1
        day -= _DAY
