"""Keeps people."""

from collections.abc import Callable

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from mesh.database import Database
from mesh.errors import AlreadyExistsError
from services.user.domain.keeping import Credentials
from services.user.domain.logins import LoginSession, RefreshToken
from services.user.domain.people import Profile, User
from services.user.store.login_rows import add_login_rows
from services.user.store.people_rows import UserRow, credentials_of, profile_columns, profile_of, user_of, user_row


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
            try:
                session.flush()
            except IntegrityError:
                raise AlreadyExistsError(
                    "This e-mail address has an account; log in instead.", field="email"
                ) from None  # What the database says repeats the address.
            add_login_rows(session, login, token)

        await self._database.run(unit)

    async def credentials(self, email_key: str) -> Credentials | None:
        """See `People`."""

        def unit(session: Session) -> Credentials | None:
            row = session.scalar(select(UserRow).where(UserRow.email_key == email_key))
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
