"""Keeps budgets: what is used, what is set aside, and what is said about people and roles."""

from collections.abc import Iterable
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from mesh.database import Database
from mesh.errors import BudgetExhaustedError, NotFoundError
from services.user.domain.budgets import Account, Amounts, Limits, Overrides, Reservation
from services.user.domain.people import Role
from services.user.domain.windows import windows_at
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
            user = _person(session, session.scalar(owner) or "", to_change=True)
            row = session.get_one(BudgetReservationRow, reservation_id)
            if row.settled:
                return None
            _book(session, row, user, used, now)
            row.settled = settle
            if settle:
                # What it was for may be a conversation that is deleted meanwhile.
                row.purpose = ""
                return None
            row.expire_time_us = to_us(now + timedelta(seconds=row.lifetime_s))
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
        levels = [overrides_of(session.get(BudgetOverrideRow, subject)) for subject in _subjects(user)]
        return Account(
            limits=Limits.of(*levels, self._everybody),
            windows=windows,
            used_today=used_of(session.get(BudgetUsageRow, (user.user_id, windows.day))),
            used_this_month=used_of(session.get(BudgetUsageRow, (user.user_id, windows.month))),
            reserved=tuple(
                each.amounts for each in _held(session, user.user_id, now) if each.reservation_id != without
            ),
        )


def _person(session: Session, user_id: str, *, to_change: bool = False) -> UserRow:
    # Logging in, which only refers to the row, does not wait for this.
    user = session.get(UserRow, user_id, with_for_update={"key_share": True} if to_change else None)
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


def _book(session: Session, row: BudgetReservationRow, user: UserRow, used: Amounts, now: datetime) -> None:
    """Books what is new since the last time, in the windows of now."""
    used = replace(used, concurrent_sessions=0)
    booked = Amounts(**row.booked)
    new = used.beyond(booked)
    row.booked = asdict(booked + new)
    windows = windows_at(now, _zone(user))
    for period in (windows.day, windows.month):
        usage = session.get(BudgetUsageRow, (user.user_id, period))
        if usage is None:
            usage = BudgetUsageRow(
                user_id=user.user_id,
                period=period,
                audio_seconds=0,
                model_tokens=0,
                spoken_characters=0,
                money_micros=0,
            )
            session.add(usage)
        usage.audio_seconds += new.audio_seconds
        usage.model_tokens += new.model_tokens
        usage.spoken_characters += new.spoken_characters
        usage.money_micros += new.money_micros
        usage.last_time_us = to_us(now)


def _subjects(user: UserRow) -> tuple[str, str]:
    """Whom something may be said about that counts for this person, the nearest first."""
    return user.user_id, GUEST if user.guest else user.role


def _zone(user: UserRow) -> ZoneInfo:
    return ZoneInfo(str(user.profile.get("time_zone") or "UTC"))
