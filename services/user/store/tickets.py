"""Keeps tickets that were not used yet."""

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String, Text, delete
from sqlalchemy.orm import Mapped, Session, mapped_column

from mesh.database import Database
from services.user.domain.tickets import Ticket
from services.user.store.base import Base, rows_changed
from services.user.store.people_rows import held


class TicketRow(Base):
    """A ticket, by its hash."""

    __tablename__ = "tickets"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id", ondelete="CASCADE"), index=True)
    session_id: Mapped[str] = mapped_column(String(64))
    scopes: Mapped[str] = mapped_column(String(64))
    origin: Mapped[str] = mapped_column(Text)
    expire_time_us: Mapped[int] = mapped_column(BigInteger, index=True)


class TicketStore:
    """`TicketDrawer` over a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, ticket: Ticket) -> None:
        """See `TicketDrawer`."""

        def unit(session: Session) -> None:
            held(session, ticket.user_id)
            session.add(_row(ticket))

        await self._database.run(unit)

    async def take(self, token_hash: bytes) -> Ticket | None:
        """See `TicketDrawer`."""
        taken = delete(TicketRow).where(TicketRow.token_hash == token_hash).returning(TicketRow)

        def unit(session: Session) -> Ticket | None:
            row = session.scalar(taken)
            return _ticket(row) if row else None

        return await self._database.run(unit)

    async def prune(self, before_us: int) -> int:
        """See `TicketDrawer`."""
        due = delete(TicketRow).where(TicketRow.expire_time_us < before_us)
        return await self._database.run(lambda session: rows_changed(session, due))


def _row(ticket: Ticket) -> TicketRow:
    return TicketRow(
        token_hash=ticket.token_hash,
        user_id=ticket.user_id,
        session_id=ticket.session_id,
        scopes=" ".join(sorted(ticket.scopes)),
        origin=ticket.origin,
        expire_time_us=ticket.expire_time_us,
    )


def _ticket(row: TicketRow) -> Ticket:
    return Ticket(
        token_hash=row.token_hash,
        user_id=row.user_id,
        session_id=row.session_id,
        scopes=frozenset(row.scopes.split()),
        origin=row.origin,
        expire_time_us=row.expire_time_us,
    )
