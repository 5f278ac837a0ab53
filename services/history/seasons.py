"""Keeps what was counted in seasons that are over in a row each, so that a year is read as fast as a month.

A season is four weeks. Its row holds what its quarters of an hour hold, and goes as soon as one of them changes:
`packed_until_us` of the learner says up to where rows of seasons stand for those of quarters. Beside it stands the same
by day, in the time zone progress had been asked for in when it was packed; who asks in another reads quarters.
"""

from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import case, delete, func, select
from sqlalchemy.orm import Session

from services.history.domain.columns import Columns, Tally, columns_of, joined
from services.history.domain.days import by_day
from services.history.domain.measures import QUARTER_US
from services.history.learners import locked_learners
from services.history.packing import measures_of, packed, unpacked
from services.history.tables import NO_TIME_ZONE, NOTHING_PACKED, ConversationRow, LearnerRow, QuarterRow, SeasonRow

_DAY_US: Final = 24 * 4 * QUARTER_US
_SEASON_US: Final = 28 * _DAY_US
#: After every time there is.
LAST_US: Final = 2**62


def counted_columns(session: Session, user_id: str, time_zone: str = NO_TIME_ZONE) -> tuple[Columns, bytes]:
    """All that was counted of a person, and the levels of their words.

    Where days in a time zone are enough, by day as far as that was packed.
    """
    known = select(LearnerRow.packed_until_us, LearnerRow.levels).where(LearnerRow.user_id == user_id)
    packed_until_us, levels = session.execute(known).one_or_none() or (NOTHING_PACKED, b"")
    in_days = (SeasonRow.time_zone == time_zone) & (SeasonRow.time_zone != NO_TIME_ZONE)
    wanted = select(case((in_days, SeasonRow.days), else_=SeasonRow.packed)).where(SeasonRow.user_id == user_id)
    seasons = session.scalars(wanted.order_by(SeasonRow.start_us))
    open_quarters = columns_of(_tallies(session, user_id, packed_until_us, LAST_US))
    return joined([*map(unpacked, seasons), open_quarters]), levels


def is_to_pack(session: Session, user_id: str, now_us: int, time_zone: str = NO_TIME_ZONE) -> bool:
    """Whether several seasons are over and not packed yet, or days are to be packed in another time zone from now on.

    One by itself is read as it is, sooner than it is packed; the next talk packs it.
    """
    known = select(LearnerRow.packed_until_us, LearnerRow.time_zone).where(LearnerRow.user_id == user_id)
    packed_until_us, packs_in = session.execute(known).one_or_none() or (LAST_US, time_zone)
    if time_zone not in (NO_TIME_ZONE, packs_in):
        return True
    first_us = _first_closed(session, user_id, packed_until_us, now_us)
    if first_us is None:
        return False
    return _first_closed(session, user_id, _season_of(first_us) + _SEASON_US, now_us) is not None


def pack_next(session: Session, user_id: str, now_us: int, time_zone: str = NO_TIME_ZONE) -> bool:
    """Packs the first season that is over and not packed yet; whether there was one. Days are packed in this zone."""
    learner = locked_learners(session, {user_id})[user_id]
    if time_zone != NO_TIME_ZONE and learner.forget_time_us is None:
        learner.time_zone = time_zone
    return _pack_first(session, learner, now_us)


def pack_along(session: Session, learner: LearnerRow, newest_us: int) -> None:
    """Packs one season, if one was over a day before the newest event of those that were taken in.

    So each is packed by the first talk after it, and who asks for progress seldom has to. Judged by
    the event and not by the clock, a year that comes in late is packed season by season, too.
    """
    closed_us = _closed_at(newest_us)
    if learner.packed_until_us < closed_us and not _pack_first(session, learner, newest_us):
        # Nothing is there to pack: up to here nobody need look again.
        learner.packed_until_us = closed_us


def unpack_from(session: Session, learner: LearnerRow, start_us: int) -> None:
    """Has quarters from then on read as they are. Whoever changes one calls it, and has locked the learner."""
    if start_us >= learner.packed_until_us:
        return
    learner.packed_until_us = _season_of(start_us)
    gone = (SeasonRow.user_id == learner.user_id) & (SeasonRow.start_us >= learner.packed_until_us)
    session.execute(delete(SeasonRow).where(gone))


def _pack_first(session: Session, learner: LearnerRow, now_us: int) -> bool:
    first_us = _first_closed(session, learner.user_id, learner.packed_until_us, now_us)
    if first_us is None:
        return False
    start_us = _season_of(first_us)
    columns = columns_of(_tallies(session, learner.user_id, start_us, start_us + _SEASON_US))
    zone = _zone(learner.time_zone)
    session.add(
        SeasonRow(
            user_id=learner.user_id,
            start_us=start_us,
            packed=packed(columns),
            time_zone=learner.time_zone if zone else NO_TIME_ZONE,
            days=packed(by_day(columns, zone)) if zone else b"",
        )
    )
    learner.packed_until_us = start_us + _SEASON_US
    return True


def _first_closed(session: Session, user_id: str, packed_until_us: int, now_us: int) -> int | None:
    """When the first quarter begins that is not packed, and of a season that was over a day ago."""
    waiting = (QuarterRow.user_id == user_id) & QuarterRow.start_us.between(packed_until_us, _closed_at(now_us) - 1)
    return session.scalar(select(func.min(QuarterRow.start_us)).where(waiting))


def _closed_at(now_us: int) -> int:
    """Up to where seasons have been over for a day."""
    return _season_of(now_us - _DAY_US)


def _season_of(time_us: int) -> int:
    return max(NOTHING_PACKED, time_us // _SEASON_US * _SEASON_US)


def _zone(time_zone: str) -> ZoneInfo | None:
    """The zone to pack days in; None for none, and for one that the machine has forgotten."""
    try:
        return ZoneInfo(time_zone) if time_zone != NO_TIME_ZONE else None
    except ZoneInfoNotFoundError:
        return None


def _tallies(session: Session, user_id: str, start_us: int, end_us: int) -> list[Tally]:
    wanted = (
        select(
            QuarterRow.start_us,
            QuarterRow.conversation_id,
            ConversationRow.scenario_id,
            QuarterRow.counts,
            QuarterRow.vocabulary,
            QuarterRow.named,
        )
        .join(ConversationRow, ConversationRow.conversation_id == QuarterRow.conversation_id)
        .where(QuarterRow.user_id == user_id, QuarterRow.start_us.between(start_us, end_us - 1))
        .order_by(QuarterRow.start_us, QuarterRow.conversation_id)
    )
    return [
        Tally(start, name, scenario_id, measures_of(counts, vocabulary, named))
        for start, name, scenario_id, counts, vocabulary, named in session.execute(wanted)
    ]
