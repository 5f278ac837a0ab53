"""Keeps what happened to accounts."""

from sqlalchemy import BigInteger, Index, String, delete, select, tuple_
from sqlalchemy.orm import Mapped, mapped_column

from mesh.database import Database
from mesh.pages import Place
from services.user.domain.audit import MAKES_KNOWN, AuditEvent, AuditKind
from services.user.store.base import Base, rows_changed, storable


class AuditEventRow(Base):
    """One thing that happened. It outlives the account, which is why nothing here points to it."""

    __tablename__ = "audit_events"
    __table_args__ = (Index("ix_audit_events_user_id_time_us", "user_id", "time_us"),)

    event_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    time_us: Mapped[int] = mapped_column(BigInteger, index=True)
    kind: Mapped[str] = mapped_column(String(32))
    user_id: Mapped[str] = mapped_column(String(64))
    network: Mapped[str] = mapped_column(String(64))
    client: Mapped[str] = mapped_column(String(100))


class AuditStore:
    """`AuditTrail` over a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, event: AuditEvent) -> None:
        """See `AuditTrail`."""
        await self._database.commit(lambda session: session.add(_row(event)))

    async def events(self, user_id: str, before: Place | None, limit: int) -> list[AuditEvent]:
        """See `AuditTrail`."""
        wanted = select(AuditEventRow).where(AuditEventRow.user_id == storable(user_id))
        if before is not None:
            wanted = wanted.where(tuple_(AuditEventRow.time_us, AuditEventRow.event_id) < before)
        latest_first = wanted.order_by(AuditEventRow.time_us.desc(), AuditEventRow.event_id.desc()).limit(limit)
        return await self._database.read(lambda session: [_event(row) for row in session.scalars(latest_first)])

    async def knows(self, user_id: str, network: str) -> bool:
        """See `AuditTrail`."""
        seen = select(AuditEventRow.event_id).where(
            AuditEventRow.user_id == user_id,
            AuditEventRow.network == network,
            AuditEventRow.kind.in_([kind.value for kind in MAKES_KNOWN]),
        )
        return await self._database.read(lambda session: session.scalar(seen.limit(1)) is not None)

    async def prune(self, before_us: int) -> int:
        """See `AuditTrail`."""
        due = delete(AuditEventRow).where(AuditEventRow.time_us < before_us)
        return await self._database.run(lambda session: rows_changed(session, due))


def _row(event: AuditEvent) -> AuditEventRow:
    return AuditEventRow(
        event_id=event.event_id,
        time_us=event.time_us,
        kind=event.kind.value,
        user_id=event.user_id,
        network=event.network,
        client=storable(event.client),
    )


def _event(row: AuditEventRow) -> AuditEvent:
    return AuditEvent(row.event_id, row.time_us, AuditKind(row.kind), row.user_id, row.network, row.client)
