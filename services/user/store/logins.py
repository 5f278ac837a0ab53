"""Keeps login sessions and their refresh tokens."""

from collections.abc import Callable

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from mesh.database import Database
from mesh.pages import Place
from services.user.domain.keeping import Renewal
from services.user.domain.logins import EndReason, LoginSession, RefreshToken, Verdict, judge
from services.user.store.base import storable
from services.user.store.login_rows import (
    LoginSessionRow,
    RefreshTokenRow,
    add_login_rows,
    end_login_row,
    end_login_rows,
    login_of,
    token_of,
    token_row,
)
from services.user.store.people_rows import UserRow, user_of


class LoginsStore:
    """`Logins` over a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def login(self, login_session_id: str) -> LoginSession | None:
        """See `Logins`."""

        def unit(session: Session) -> LoginSession | None:
            row = session.get(LoginSessionRow, login_session_id)
            return login_of(row) if row else None

        return await self._database.read(unit)

    async def add_login(self, login: LoginSession, token: RefreshToken, password_hash: str) -> bool:
        """See `Logins`."""

        def unit(session: Session) -> bool:
            # Who changes the password holds the row until the login sessions are ended; then it is another.
            row = session.get(UserRow, login.user_id, with_for_update=True)
            if row is None or row.password_hash != password_hash:
                return False
            add_login_rows(session, login, token)
            return True

        return await self._database.run(unit)

    async def renew(
        self, token_hash: bytes, now_us: int, successor: Callable[[LoginSession], RefreshToken]
    ) -> Renewal | None:
        """See `Logins`."""
        return await self._database.run(lambda session: _renew(session, token_hash, now_us, successor))

    async def logins(self, user_id: str, used_since_us: int, before: Place | None, limit: int) -> list[LoginSession]:
        """See `Logins`."""
        wanted = select(LoginSessionRow).where(
            LoginSessionRow.user_id == user_id,
            LoginSessionRow.revoke_time_us.is_(None),
            LoginSessionRow.last_used_time_us > used_since_us,
        )
        if before is not None:
            wanted = wanted.where(tuple_(LoginSessionRow.create_time_us, LoginSessionRow.login_session_id) < before)
        latest_first = wanted.order_by(
            LoginSessionRow.create_time_us.desc(), LoginSessionRow.login_session_id.desc()
        ).limit(limit)
        return await self._database.read(lambda session: [login_of(row) for row in session.scalars(latest_first)])

    async def end_logins(
        self, user_id: str, now_us: int, reason: EndReason, *, only: str = "", but: str = ""
    ) -> int | None:
        """See `Logins`."""

        def unit(session: Session) -> int | None:
            if only and not _owns(session, user_id, only):
                return None
            return end_login_rows(session, user_id, now_us, reason, only=only, but=but)

        return await self._database.run(unit)


def _owns(session: Session, user_id: str, login_session_id: str) -> bool:
    row = session.get(LoginSessionRow, storable(login_session_id))
    return row is not None and row.user_id == user_id


def _renew(
    session: Session, token_hash: bytes, now_us: int, successor: Callable[[LoginSession], RefreshToken]
) -> Renewal | None:
    owner = session.scalar(select(RefreshTokenRow.login_session_id).where(RefreshTokenRow.token_hash == token_hash))
    # The login session is the lock: what its tokens look like is read only after it is held.
    login_row = owner and session.get(LoginSessionRow, owner, with_for_update=True)
    if not login_row:
        return None
    login, row = login_of(login_row), session.get_one(RefreshTokenRow, token_hash)
    following = successor(login)
    known = session.get(RefreshTokenRow, following.token_hash)
    verdict = judge(login, token_of(row), token_of(known) if known else None, now_us)
    match verdict:
        case Verdict.ROTATE:
            row.used_time_us = login_row.last_used_time_us = now_us
            session.add(token_row(following))
        case Verdict.END:
            end_login_row(session, login.login_session_id, now_us, EndReason.TOKEN_REUSED)
        case Verdict.REPEAT | Verdict.REFUSE:
            pass
    return Renewal(verdict, user_of(session.get_one(UserRow, login.user_id)), login.login_session_id)
