"""Keeps people, as operators see and change them."""

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from mesh.database import Database
from mesh.pages import Place
from services.user.domain.logins import EndReason
from services.user.domain.people import Role, User
from services.user.store.login_rows import end_login_rows
from services.user.store.people_rows import UserRow, flush_address, user_of, user_row


class RosterStore:
    """`Roster` over a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def accounts(self, before: Place | None, limit: int) -> list[User]:
        """See `Roster`."""
        wanted = select(UserRow).where(UserRow.guest.is_(False))
        if before is not None:
            wanted = wanted.where(tuple_(UserRow.create_time_us, UserRow.user_id) < before)
        latest_first = wanted.order_by(UserRow.create_time_us.desc(), UserRow.user_id.desc()).limit(limit)
        return await self._database.read(lambda session: [user_of(row) for row in session.scalars(latest_first)])

    async def add(self, user: User, password_hash: str) -> None:
        """See `Roster`."""

        def unit(session: Session) -> None:
            session.add(user_row(user, password_hash))
            flush_address(session)

        await self._database.run(unit)

    async def change_role(self, user_id: str, role: Role, now_us: int) -> User | None:
        """See `Roster`."""

        def unit(session: Session) -> User | None:
            row = session.get(UserRow, user_id, with_for_update=True)
            if row is None:
                return None
            row.role = role.value
            end_login_rows(session, user_id, now_us, EndReason.ROLE_CHANGED)
            return user_of(row)

        return await self._database.run(unit)
