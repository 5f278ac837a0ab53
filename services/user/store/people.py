"""Keeps people."""

from collections.abc import Callable

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from mesh.database import Database
from services.user.domain.keeping import Credentials
from services.user.domain.logins import EndReason, LoginSession, RefreshToken
from services.user.domain.people import Profile, User, email_key
from services.user.store.links import remove_links
from services.user.store.login_rows import LoginSessionRow, add_login_rows, end_login_rows
from services.user.store.people_rows import (
    UserRow,
    credentials_of,
    flush_address,
    profile_columns,
    profile_of,
    user_of,
    user_row,
)


class PeopleStore:
    """`People` over a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_user(
        self, user: User, password_hash: str, registration_id: str, login: LoginSession, token: RefreshToken
    ) -> None:
        """See `People`."""

        def unit(session: Session) -> None:
            session.add(user_row(user, password_hash, registration_id, login))
            flush_address(session)
            add_login_rows(session, login, token)

        await self._database.run(unit)

    async def credentials(self, email_key: str) -> Credentials | None:
        """See `People`."""

        def unit(session: Session) -> Credentials | None:
            row = session.scalar(select(UserRow).where(UserRow.email_key == email_key))
            return credentials_of(row) if row else None

        return await self._database.read(unit)

    async def credentials_of(self, user_id: str) -> Credentials | None:
        """See `People`."""

        def unit(session: Session) -> Credentials | None:
            row = session.get(UserRow, user_id)
            return credentials_of(row) if row else None

        return await self._database.read(unit)

    async def user(self, user_id: str) -> User | None:
        """See `People`."""

        def unit(session: Session) -> User | None:
            row = session.get(UserRow, user_id)
            return user_of(row) if row else None

        return await self._database.read(unit)

    async def change_profile(self, user_id: str, change: Callable[[Profile], Profile]) -> User | None:
        """See `People`."""

        def unit(session: Session) -> User | None:
            row = session.get(UserRow, user_id, with_for_update=True)
            if row is None:
                return None
            row.profile = profile_columns(change(profile_of(row.profile)))
            return user_of(row)

        return await self._database.run(unit)

    async def replace_password_hash(self, user_id: str, old: str, new: str) -> None:
        """See `People`."""
        statement = (
            update(UserRow).where(UserRow.user_id == user_id, UserRow.password_hash == old).values(password_hash=new)
        )

        def unit(session: Session) -> None:
            session.execute(statement)

        await self._database.run(unit)

    async def upgrade(self, user_id: str, email: str, password_hash: str, logins_end_us: int) -> User | None:
        """See `People`."""

        def unit(session: Session) -> User | None:
            row = session.get(UserRow, user_id, with_for_update=True)
            if row is None or not row.guest:
                return None
            row.guest, row.password_hash = False, password_hash
            row.email, row.email_key = email, email_key(email)
            flush_address(session)
            session.execute(
                update(LoginSessionRow).where(LoginSessionRow.user_id == user_id).values(end_time_us=logins_end_us)
            )
            return user_of(row)

        return await self._database.run(unit)

    async def change_password(self, user_id: str, old: str, new: str, now_us: int, *, but: str) -> bool:
        """See `People`."""

        def unit(session: Session) -> bool:
            row = session.get(UserRow, user_id, with_for_update=True)
            if row is None or row.password_hash != old:
                return False
            row.password_hash = new
            remove_links(session, user_id)
            end_login_rows(session, user_id, now_us, EndReason.PASSWORD_CHANGED, but=but)
            return True

        return await self._database.run(unit)
