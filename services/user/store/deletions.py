"""Keeps deletions: what was removed where, and what is still to do."""

from sqlalchemy import JSON, BigInteger, Integer, String, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from mesh.database import Database
from mesh.ids import new_id
from services.user.domain.audit import AuditKind
from services.user.domain.deletions import Deletion
from services.user.store.audit import AuditEventRow
from services.user.store.base import Base, rows_changed, storable
from services.user.store.login_rows import LoginSessionRow
from services.user.store.own_data import remove_person
from services.user.store.people_rows import UserRow


class DeletionRow(Base):
    """The deletion of an account."""

    __tablename__ = "deletions"

    deletion_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(String(64), unique=True)
    begin_time_us: Mapped[int] = mapped_column(BigInteger)
    removed: Mapped[dict[str, int]] = mapped_column(JSON)
    failures: Mapped[int] = mapped_column(Integer)
    next_time_us: Mapped[int] = mapped_column(BigInteger, index=True)
    finish_time_us: Mapped[int | None] = mapped_column(BigInteger)


class DeletionStore:
    """`DeletionBook` over a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, deletion: Deletion) -> Deletion | None:
        """See `DeletionBook`."""

        def unit(session: Session) -> Deletion | None:
            removed = remove_person(session, deletion.user_id, deletion.begin_time_us)
            if removed is None:
                return None
            row = DeletionRow(
                deletion_id=deletion.deletion_id,
                user_id=deletion.user_id,
                begin_time_us=deletion.begin_time_us,
                removed={"user": removed},
                failures=0,
                next_time_us=deletion.begin_time_us,
            )
            session.add(row)
            session.add(_noted(deletion))
            return _deletion(row)

        return await self._database.run(unit)

    async def find(self, *, deletion_id: str = "", user_id: str = "") -> Deletion | None:
        """See `DeletionBook`."""
        column, value = (DeletionRow.deletion_id, deletion_id) if deletion_id else (DeletionRow.user_id, user_id)

        def unit(session: Session) -> Deletion | None:
            row = session.scalar(select(DeletionRow).where(column == storable(value)))
            return _deletion(row) if row else None

        return await self._database.read(unit)

    async def claim(self, now_us: int, until_us: int) -> Deletion | None:
        """See `DeletionBook`."""
        due = (
            select(DeletionRow)
            .where(DeletionRow.finish_time_us.is_(None), DeletionRow.next_time_us <= now_us)
            .order_by(DeletionRow.next_time_us)
            .limit(1)
            .with_for_update(skip_locked=True)
        )

        def unit(session: Session) -> Deletion | None:
            row = session.scalar(due)
            if row is None:
                return None
            row.next_time_us = until_us
            return _deletion(row)

        return await self._database.run(unit)

    async def removed(self, deletion_id: str, service: str, count: int, now_us: int) -> Deletion:
        """See `DeletionBook`."""

        def unit(session: Session) -> Deletion:
            row = session.get_one(DeletionRow, deletion_id, with_for_update=True)
            row.removed = row.removed | {service: count}
            if not _deletion(row).pending():
                row.finish_time_us = row.finish_time_us or now_us
            return _deletion(row)

        return await self._database.run(unit)

    async def failed(self, deletion_id: str, again_us: int) -> None:
        """See `DeletionBook`."""

        def unit(session: Session) -> None:
            row = session.get_one(DeletionRow, deletion_id, with_for_update=True)
            row.failures += 1
            row.next_time_us = again_us

        await self._database.run(unit)

    async def forsaken_guests(self, before_us: int, limit: int) -> list[str]:
        """See `DeletionBook`."""
        visited = select(LoginSessionRow.user_id).where(LoginSessionRow.last_used_time_us >= before_us)
        forsaken = (
            select(UserRow.user_id)
            .where(UserRow.guest, UserRow.create_time_us < before_us, UserRow.user_id.not_in(visited))
            .limit(limit)
        )
        return await self._database.read(lambda session: list(session.scalars(forsaken)))

    async def prune(self, before_us: int) -> int:
        """See `DeletionBook`."""
        due = delete(DeletionRow).where(DeletionRow.finish_time_us < before_us)
        return await self._database.run(lambda session: rows_changed(session, due))


def _noted(deletion: Deletion) -> AuditEventRow:
    """What stays of the person in the audit trail: that an account was deleted, and when. Neither where nor by what."""
    return AuditEventRow(
        event_id=new_id("aud"),
        time_us=deletion.begin_time_us,
        kind=AuditKind.ACCOUNT_DELETED.value,
        user_id=deletion.user_id,
        network="",
        client="",
    )


def _deletion(row: DeletionRow) -> Deletion:
    return Deletion(
        deletion_id=row.deletion_id,
        user_id=row.user_id,
        begin_time_us=row.begin_time_us,
        removed=dict(row.removed),
        failures=row.failures,
        finish_time_us=row.finish_time_us,
    )
