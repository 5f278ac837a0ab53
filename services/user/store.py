"""Keeps people, login sessions and refresh tokens in the user service's own tables."""

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import JSON, BigInteger, ForeignKey, LargeBinary, String, Update, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from mesh.database import Database, metadata
from mesh.errors import AlreadyExistsError
from services.user.domain.keeping import Credentials, Renewal
from services.user.domain.logins import EndReason, LoginSession, RefreshToken, Verdict, judge
from services.user.domain.people import Profile, Role, User, email_key

VERSION_TABLE: Final = "alembic_version_user"
#: Parts of a profile that are lists; JSON knows no tuples.
_LISTS: Final = ("goals", "interests")


class Base(DeclarativeBase):
    """The tables of the user service; `schema.md` explains each column."""

    metadata = metadata()


class UserRow(Base):
    """A person."""

    __tablename__ = "users"

    user_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    email: Mapped[str | None] = mapped_column(String(254))
    email_key: Mapped[str | None] = mapped_column(String(320), unique=True)
    email_verified: Mapped[bool]
    guest: Mapped[bool]
    role: Mapped[str] = mapped_column(String(16))
    password_hash: Mapped[str | None] = mapped_column(String(255))
    registration_id: Mapped[str | None] = mapped_column(String(64))
    registration_login_session_id: Mapped[str | None] = mapped_column(String(64))
    profile: Mapped[dict[str, Any]] = mapped_column(JSON)
    create_time_us: Mapped[int] = mapped_column(BigInteger)


class LoginSessionRow(Base):
    """A place where a person is logged in."""

    __tablename__ = "login_sessions"

    login_session_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id", ondelete="CASCADE"), index=True)
    client: Mapped[str] = mapped_column(String(100))
    create_time_us: Mapped[int] = mapped_column(BigInteger)
    last_used_time_us: Mapped[int] = mapped_column(BigInteger)
    end_time_us: Mapped[int | None] = mapped_column(BigInteger)
    revoke_time_us: Mapped[int | None] = mapped_column(BigInteger)
    revoke_reason: Mapped[str | None] = mapped_column(String(32))


class RefreshTokenRow(Base):
    """A refresh token, by its hash."""

    __tablename__ = "refresh_tokens"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    login_session_id: Mapped[str] = mapped_column(
        ForeignKey("login_sessions.login_session_id", ondelete="CASCADE"), index=True
    )
    create_time_us: Mapped[int] = mapped_column(BigInteger)
    expire_time_us: Mapped[int] = mapped_column(BigInteger)
    used_time_us: Mapped[int | None] = mapped_column(BigInteger)


class PeopleStore:
    """`People` over a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_user(
        self, user: User, password_hash: str, registration_id: str, login: LoginSession, token: RefreshToken
    ) -> None:
        """See `People`."""

        def unit(session: Session) -> None:
            session.add(_user_row(user, password_hash, registration_id, login))
            try:
                session.flush()
            except IntegrityError:
                raise AlreadyExistsError(
                    "This e-mail address has an account; log in instead.", field="email"
                ) from None  # What the database says repeats the address.
            _add_login(session, login, token)

        await self._database.run(unit)

    async def credentials(self, email_key: str) -> Credentials | None:
        """See `People`."""

        def unit(session: Session) -> Credentials | None:
            row = session.scalar(select(UserRow).where(UserRow.email_key == email_key))
            return _credentials(row) if row else None

        return await self._database.read(unit)

    async def user(self, user_id: str) -> User | None:
        """See `People`."""

        def unit(session: Session) -> User | None:
            row = session.get(UserRow, user_id)
            return _user(row) if row else None

        return await self._database.read(unit)

    async def login(self, login_session_id: str) -> LoginSession | None:
        """See `People`."""

        def unit(session: Session) -> LoginSession | None:
            row = session.get(LoginSessionRow, login_session_id)
            return _login(row) if row else None

        return await self._database.read(unit)

    async def change_profile(self, user_id: str, change: Callable[[Profile], Profile]) -> User | None:
        """See `People`."""

        def unit(session: Session) -> User | None:
            row = session.get(UserRow, user_id, with_for_update=True)
            if row is None:
                return None
            row.profile = _profile_columns(change(_profile(row.profile)))
            return _user(row)

        return await self._database.run(unit)

    async def replace_password_hash(self, user_id: str, old: str, new: str) -> None:
        """See `People`."""
        statement = (
            update(UserRow).where(UserRow.user_id == user_id, UserRow.password_hash == old).values(password_hash=new)
        )
        await self._database.run(lambda session: _execute(session, statement))

    async def add_login(self, login: LoginSession, token: RefreshToken) -> None:
        """See `People`."""
        await self._database.run(lambda session: _add_login(session, login, token))

    async def renew(
        self, token_hash: bytes, now_us: int, successor: Callable[[LoginSession], RefreshToken]
    ) -> Renewal | None:
        """See `People`."""
        return await self._database.run(lambda session: _renew(session, token_hash, now_us, successor))

    async def end_login(self, login_session_id: str, now_us: int, reason: EndReason) -> None:
        """See `People`."""
        await self._database.run(lambda session: _end_login(session, login_session_id, now_us, reason))


def _renew(
    session: Session, token_hash: bytes, now_us: int, successor: Callable[[LoginSession], RefreshToken]
) -> Renewal | None:
    owner = session.scalar(select(RefreshTokenRow.login_session_id).where(RefreshTokenRow.token_hash == token_hash))
    # The login session is the lock: what its tokens look like is read only after it is held.
    login_row = owner and session.get(LoginSessionRow, owner, with_for_update=True)
    if not login_row:
        return None
    login, row = _login(login_row), session.get_one(RefreshTokenRow, token_hash)
    following = successor(login)
    known = session.get(RefreshTokenRow, following.token_hash)
    verdict = judge(login, _token(row), _token(known) if known else None, now_us)
    match verdict:
        case Verdict.ROTATE:
            row.used_time_us = login_row.last_used_time_us = now_us
            session.add(_token_row(following))
        case Verdict.END:
            _end_login(session, login.login_session_id, now_us, EndReason.TOKEN_REUSED)
        case Verdict.REPEAT | Verdict.REFUSE:
            pass
    return Renewal(verdict, _user(session.get_one(UserRow, login.user_id)), login.login_session_id)


def _end_login(session: Session, login_session_id: str, now_us: int, reason: EndReason) -> None:
    statement = (
        update(LoginSessionRow)
        .where(LoginSessionRow.login_session_id == login_session_id, LoginSessionRow.revoke_time_us.is_(None))
        .values(revoke_time_us=now_us, revoke_reason=reason.value)
    )
    _execute(session, statement)


def _add_login(session: Session, login: LoginSession, token: RefreshToken) -> None:
    session.add(
        LoginSessionRow(
            login_session_id=login.login_session_id,
            user_id=login.user_id,
            client=_storable(login.client),
            create_time_us=login.create_time_us,
            last_used_time_us=login.last_used_time_us,
            end_time_us=login.end_time_us,
        )
    )
    # No relationship tells the unit of work that the token's row comes second.
    session.flush()
    session.add(_token_row(token))


def _storable(text: str) -> str:
    # PostgreSQL keeps no NUL in text.
    return text.replace("\0", "")


def _execute(session: Session, statement: Update) -> None:
    session.execute(statement)


def _user_row(user: User, password_hash: str, registration_id: str, login: LoginSession) -> UserRow:
    return UserRow(
        user_id=user.user_id,
        email=user.email or None,
        email_key=email_key(user.email) if user.email else None,
        email_verified=user.email_verified,
        guest=user.guest,
        role=user.role.value,
        password_hash=password_hash or None,
        registration_id=_storable(registration_id) or None,
        registration_login_session_id=login.login_session_id if registration_id else None,
        profile=_profile_columns(user.profile),
        create_time_us=user.create_time_us,
    )


def _credentials(row: UserRow) -> Credentials:
    return Credentials(
        user=_user(row),
        password_hash=row.password_hash or "",
        registration_id=row.registration_id or "",
        registration_login_session_id=row.registration_login_session_id or "",
    )


def _user(row: UserRow) -> User:
    return User(
        user_id=row.user_id,
        email=row.email or "",
        email_verified=row.email_verified,
        guest=row.guest,
        role=Role(row.role),
        profile=_profile(row.profile),
        create_time_us=row.create_time_us,
    )


def _profile(columns: dict[str, Any]) -> Profile:
    values: dict[str, Any] = {**columns, **{name: tuple(columns[name]) for name in _LISTS}}
    return Profile(**values)


def _profile_columns(profile: Profile) -> dict[str, Any]:
    return {name: getattr(profile, name) for name in Profile.__dataclass_fields__}


def _login(row: LoginSessionRow) -> LoginSession:
    return LoginSession(
        login_session_id=row.login_session_id,
        user_id=row.user_id,
        client=row.client,
        create_time_us=row.create_time_us,
        last_used_time_us=row.last_used_time_us,
        end_time_us=row.end_time_us,
        revoked=row.revoke_time_us is not None,
    )


def _token(row: RefreshTokenRow) -> RefreshToken:
    return RefreshToken(
        token_hash=row.token_hash,
        login_session_id=row.login_session_id,
        create_time_us=row.create_time_us,
        expire_time_us=row.expire_time_us,
        used_time_us=row.used_time_us,
    )


def _token_row(token: RefreshToken) -> RefreshTokenRow:
    return RefreshTokenRow(
        token_hash=token.token_hash,
        login_session_id=token.login_session_id,
        create_time_us=token.create_time_us,
        expire_time_us=token.expire_time_us,
        used_time_us=token.used_time_us,
    )
