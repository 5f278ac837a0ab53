"""Keeps budgets: what is used, what is set aside, and what is said about people and roles."""

from collections.abc import Iterable
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, ScalarSelect, delete, select, update
from sqlalchemy.orm import Session

from mesh.database import Database
from mesh.errors import BudgetExhaustedError, NotFoundError
from services.user.domain.budgets import Account, Amounts, Limits, Overrides, Reservation
from services.user.domain.people import Role
from services.user.domain.windows import Windows, windows_at
from services.user.store.base import rows_changed
from services.user.store.budget_rows import (
    BudgetOverrideRow,
    BudgetReservationRow,
    BudgetUsageRow,
    overrides_of,
    reservation_of,
    reservation_row,
    to_us,
    used_of,
)
from services.user.store.people_rows import UserRow

#: A settlement that comes so late still finds its reservation.
_LATE_US: Final = 2 * 3_600_000_000
#: Days and months that closed are kept so long: an operator may look back a year.
_WINDOWS_KEPT_US: Final = 400 * 86_400_000_000
GUEST: Final = "guest"
#: Whom something can be said about beside people: roles, and guests as if they were one.
SUBJECTS: Final = (*(role.value for role in Role), GUEST)


class BudgetStore:
    """`Budgets` over a database. Who changes a budget holds its person's row; so nobody else does meanwhile."""

    def __init__(self, database: Database, everybody: Overrides) -> None:
        self._database = database
        self._everybody = everybody

    async def account(self, user_id: str, now: datetime) -> Account:
        """See `Budgets`."""
        return await self._database.read(lambda session: self._account(session, _person(session, user_id), now))

    async def reserve(self, reservation: Reservation, now: datetime) -> BudgetExhaustedError | None:
        """See `Budgets`."""

        def unit(session: Session) -> BudgetExhaustedError | None:
            user = _person(session, reservation.user_id, to_change=True)
            if reservation.purpose:
                _end(session, user.user_id, reservation.purpose, now)
            account = self._account(session, user, now)
            refusal = account.refusal(reservation.amounts)
            if refusal is None:
                session.add(reservation_row(reservation))
            return refusal

        return await self._database.run(unit)

    async def book(
        self, reservation_id: str, used: Amounts, now: datetime, *, settle: bool
    ) -> BudgetExhaustedError | None:
        """See `Budgets`."""

        def unit(session: Session) -> BudgetExhaustedError | None:
            owner = select(BudgetReservationRow.user_id).where(BudgetReservationRow.reservation_id == reservation_id)
            user = _person(session, owner.scalar_subquery(), to_change=True)
            row = session.get_one(BudgetReservationRow, reservation_id)
            if row.settled:
                return None
            new = _beyond(row, used)
            row.settled = settle
            if settle:
                # What it was for may be a conversation that is deleted meanwhile.
                row.purpose = ""
            else:
                row.expire_time_us = to_us(now + timedelta(seconds=row.lifetime_s))
            _book(session, user, new, now)
            if settle:
                return None
            return self._account(session, user, now, without=reservation_id).refusal(reservation_of(row).amounts)

        return await self._database.run(unit)

    async def prune(self, now_us: int) -> int:
        """See `Budgets`."""
        ended = delete(BudgetReservationRow).where(BudgetReservationRow.expire_time_us < now_us - _LATE_US)
        closed = delete(BudgetUsageRow).where(BudgetUsageRow.last_time_us < now_us - _WINDOWS_KEPT_US)
        return await self._database.run(lambda session: rows_changed(session, ended) + rows_changed(session, closed))

    async def overrides(self, subject: str) -> Overrides:
        """See `Budgets`."""
        return await self._database.read(lambda session: overrides_of(session.get(BudgetOverrideRow, subject)))

    async def override(self, subject: str, said: Overrides) -> None:
        """See `Budgets`."""

        def unit(session: Session) -> None:
            session.merge(BudgetOverrideRow(subject=subject, **asdict(said)))

        await self._database.run(unit)

    def _account(self, session: Session, user: UserRow, now: datetime, *, without: str = "") -> Account:
        windows = windows_at(now, _zone(user))
        subjects = _subjects(user)
        said = select(BudgetOverrideRow).where(BudgetOverrideRow.subject.in_(subjects))
        levels = {row.subject: overrides_of(row) for row in session.scalars(said)}
        used = {row.period: used_of(row) for row in session.scalars(select(BudgetUsageRow).where(_in(user, windows)))}
        return Account(
            limits=Limits.of(*(levels[subject] for subject in subjects if subject in levels), self._everybody),
            windows=windows,
            used_today=used.get(windows.day, Amounts()),
            used_this_month=used.get(windows.month, Amounts()),
            reserved=tuple(
                each.amounts for each in _held(session, user.user_id, now) if each.reservation_id != without
            ),
        )


def _person(session: Session, user_id: str | ScalarSelect[str], *, to_change: bool = False) -> UserRow:
    wanted = select(UserRow).where(UserRow.user_id == user_id)
    # Logging in, which only refers to the row, does not wait for this.
    user = session.scalars(wanted.with_for_update(key_share=True) if to_change else wanted).one_or_none()
    if user is None:
        raise NotFoundError("There is no such account or reservation; it may have been deleted.")
    return user


def _held(session: Session, user_id: str, now: datetime) -> Iterable[Reservation]:
    held = select(BudgetReservationRow).where(
        BudgetReservationRow.user_id == user_id,
        BudgetReservationRow.settled.is_(False),
        BudgetReservationRow.expire_time_us > to_us(now),
    )
    return map(reservation_of, session.scalars(held))


def _end(session: Session, user_id: str, purpose: str, now: datetime) -> None:
    """Frees what is set aside for a purpose; what was used of it may still be booked."""
    held = update(BudgetReservationRow).where(
        BudgetReservationRow.user_id == user_id,
        BudgetReservationRow.purpose == purpose,
        BudgetReservationRow.settled.is_(False),
        BudgetReservationRow.expire_time_us > to_us(now),
    )
    session.execute(held.values(expire_time_us=to_us(now), purpose=""))


def _beyond(row: BudgetReservationRow, used: Amounts) -> Amounts:
    """What is new since the last time, noted with the reservation."""
    booked = Amounts(**row.booked)
    new = replace(used, concurrent_sessions=0).beyond(booked)
    row.booked = asdict(booked + new)
    return new


def _book(session: Session, user: UserRow, new: Amounts, now: datetime) -> None:
    """Books it in the windows of now."""
    columns = {name: amount for name, amount in asdict(new).items() if name != "concurrent_sessions"}
    windows = windows_at(now, _zone(user))
    more = {name: getattr(BudgetUsageRow, name) + amount for name, amount in columns.items()}
    usage = update(BudgetUsageRow).where(_in(user, windows)).values(**more, last_time_us=to_us(now))
    periods = {windows.day, windows.month}
    if rows_changed(session, usage) == len(periods):
        return
    there = session.scalars(select(BudgetUsageRow.period).where(_in(user, windows)))
    for period in periods.difference(there):
        session.add(BudgetUsageRow(user_id=user.user_id, period=period, last_time_us=to_us(now), **columns))


def _in(user: UserRow, windows: Windows) -> ColumnElement[bool]:
    return (BudgetUsageRow.user_id == user.user_id) & BudgetUsageRow.period.in_((windows.day, windows.month))


def _subjects(user: UserRow) -> tuple[str, str]:
    """Whom something may be said about that counts for this person, the nearest first."""
    return user.user_id, GUEST if user.guest else user.role


def _zone(user: UserRow) -> ZoneInfo:
    return ZoneInfo(str(user.profile.get("time_zone") or "UTC"))
