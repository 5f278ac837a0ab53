"""Budgets as rows."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import JSON, BigInteger, Boolean, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from services.user.domain.budgets import Amounts, Overrides, Reservation
from services.user.store.base import Base

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class BudgetOverrideRow(Base):
    """What is said about the budget of a person or a role."""

    __tablename__ = "budget_overrides"

    subject: Mapped[str] = mapped_column(String(64), primary_key=True)
    concurrent_sessions: Mapped[int | None] = mapped_column(BigInteger)
    audio_seconds: Mapped[int | None] = mapped_column(BigInteger)
    model_tokens: Mapped[int | None] = mapped_column(BigInteger)
    spoken_characters: Mapped[int | None] = mapped_column(BigInteger)
    money_micros_day: Mapped[int | None] = mapped_column(BigInteger)
    money_micros_month: Mapped[int | None] = mapped_column(BigInteger)


class BudgetUsageRow(Base):
    """What a person used in a day or a month."""

    __tablename__ = "budget_usage"

    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id", ondelete="CASCADE"), primary_key=True)
    period: Mapped[str] = mapped_column(String(16), primary_key=True)
    audio_seconds: Mapped[int] = mapped_column(BigInteger)
    model_tokens: Mapped[int] = mapped_column(BigInteger)
    spoken_characters: Mapped[int] = mapped_column(BigInteger)
    money_micros: Mapped[int] = mapped_column(BigInteger)
    last_time_us: Mapped[int] = mapped_column(BigInteger, index=True)


class BudgetReservationRow(Base):
    """Something set aside of a person's budget."""

    __tablename__ = "budget_reservations"

    reservation_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id", ondelete="CASCADE"), index=True)
    amounts: Mapped[dict[str, int]] = mapped_column(JSON)
    booked: Mapped[dict[str, int]] = mapped_column(JSON)
    lifetime_s: Mapped[int] = mapped_column(BigInteger)
    expire_time_us: Mapped[int] = mapped_column(BigInteger, index=True)
    settled: Mapped[bool] = mapped_column(Boolean)
    purpose: Mapped[str] = mapped_column(String(64))


def reservation_row(reservation: Reservation) -> BudgetReservationRow:
    """The row of a reservation."""
    columns = {name: getattr(reservation, name) for name in Reservation.__dataclass_fields__}
    return BudgetReservationRow(**columns | {"amounts": asdict(reservation.amounts), "booked": {}})


def reservation_of(row: BudgetReservationRow) -> Reservation:
    """The reservation."""
    columns = {name: getattr(row, name) for name in Reservation.__dataclass_fields__}
    return Reservation(**columns | {"amounts": Amounts(**row.amounts), "booked": Amounts(**row.booked)})


def overrides_of(row: BudgetOverrideRow | None) -> Overrides:
    """What a row says; one that is not there says nothing."""
    return Overrides(**{name: getattr(row, name, None) for name in Overrides.__dataclass_fields__})


def used_of(row: BudgetUsageRow) -> Amounts:
    """What was used by a row's account."""
    return Amounts(0, row.audio_seconds, row.model_tokens, row.spoken_characters, row.money_micros)


def to_us(time: datetime) -> int:
    """The time as the tables keep it."""
    return (time - _EPOCH) // timedelta(microseconds=1)
