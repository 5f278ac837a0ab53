"""Keeps how often passwords were guessed."""

from contextlib import suppress

from sqlalchemy import BigInteger, Integer, LargeBinary, delete, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from mesh.database import Database
from services.user.domain.guesses import Guesses
from services.user.store.base import Base, rows_changed


class GuessRow(Base):
    """Guesses at one account, from one place or from all strange ones."""

    __tablename__ = "guesses"

    guess_key: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    count: Mapped[int] = mapped_column(Integer)
    last_time_us: Mapped[int] = mapped_column(BigInteger, index=True)


class GuessStore:
    """`Guessed` over a database: it holds when Valkey is away, and over restarts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def admit(self, key: bytes, now_us: int, longest_s: int) -> int:
        """See `Guessed`."""

        def unit(session: Session) -> int:
            row = _locked(session, key)
            known = Guesses(row.count, row.last_time_us)
            if wait_us := known.wait_us(now_us, longest_s):
                return wait_us
            more = known.one_more(now_us)
            row.count, row.last_time_us = more.count, more.last_us
            return 0

        return await self._database.run(unit)

    async def take_back(self, key: bytes) -> None:
        """See `Guessed`."""
        less = update(GuessRow).where(GuessRow.guess_key == key, GuessRow.count > 0).values(count=GuessRow.count - 1)
        await self._database.run(lambda session: rows_changed(session, less))

    async def forget(self, key: bytes) -> None:
        """See `Guessed`."""
        await self._database.run(
            lambda session: rows_changed(session, delete(GuessRow).where(GuessRow.guess_key == key))
        )

    async def prune(self, before_us: int) -> int:
        """See `Guessed`."""
        due = delete(GuessRow).where(GuessRow.last_time_us < before_us)
        return await self._database.run(lambda session: rows_changed(session, due))


def _locked(session: Session, key: bytes) -> GuessRow:
    """The row, made where it is missing; nobody else counts until the transaction ends."""
    row = session.get(GuessRow, key, with_for_update=True)
    if row is None:
        # Of two that make it at once the second waits here for the first, and then finds that it is there.
        with suppress(IntegrityError), session.begin_nested():
            session.add(GuessRow(guess_key=key, count=0, last_time_us=0))
        row = session.get_one(GuessRow, key, with_for_update=True, populate_existing=True)
    return row
