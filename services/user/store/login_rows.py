"""Login sessions and their refresh tokens as rows."""

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from services.user.domain.logins import EndReason, LoginSession, RefreshToken
from services.user.store.base import Base, rows_changed, storable


class LoginSessionRow(Base):
    """A place where a person is logged in."""

    __tablename__ = "login_sessions"

    login_session_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id", ondelete="CASCADE"), index=True)
    client: Mapped[str] = mapped_column(String(100))
    create_time_us: Mapped[int] = mapped_column(BigInteger)
    last_used_time_us: Mapped[int] = mapped_column(BigInteger)
    end_time_us: Mapped[int | None] = mapped_column(BigInteger)
    revoke_time_us: Mapped[int | None] = mapped_column(BigInteger, index=True)
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


def add_login_rows(session: Session, login: LoginSession, token: RefreshToken) -> None:
    """Adds a login session with its first refresh token."""
    session.add(
        LoginSessionRow(
            login_session_id=login.login_session_id,
            user_id=login.user_id,
            client=storable(login.client),
            create_time_us=login.create_time_us,
            last_used_time_us=login.last_used_time_us,
            end_time_us=login.end_time_us,
        )
    )
    # No relationship tells the unit of work that the token's row comes second.
    session.flush()
    session.add(token_row(token))


def end_login_row(session: Session, login_session_id: str, now_us: int, reason: EndReason) -> None:
    """Ends a login session; nothing where it has ended."""
    statement = (
        update(LoginSessionRow)
        .where(LoginSessionRow.login_session_id == login_session_id, LoginSessionRow.revoke_time_us.is_(None))
        .values(revoke_time_us=now_us, revoke_reason=reason.value)
    )
    session.execute(statement)


def end_login_rows(
    session: Session, user_id: str, now_us: int, reason: EndReason, *, only: str = "", but: str = ""
) -> int:
    """Ends the person's living login sessions: that one, or all but that one. Returns how many."""
    statement = update(LoginSessionRow).where(
        LoginSessionRow.user_id == user_id, LoginSessionRow.revoke_time_us.is_(None)
    )
    if only:
        statement = statement.where(LoginSessionRow.login_session_id == only)
    if but:
        statement = statement.where(LoginSessionRow.login_session_id != but)
    return rows_changed(session, statement.values(revoke_time_us=now_us, revoke_reason=reason.value))


def login_of(row: LoginSessionRow) -> LoginSession:
    """The login session."""
    return LoginSession(
        login_session_id=row.login_session_id,
        user_id=row.user_id,
        client=row.client,
        create_time_us=row.create_time_us,
        last_used_time_us=row.last_used_time_us,
        end_time_us=row.end_time_us,
        revoked=row.revoke_time_us is not None,
    )


def token_of(row: RefreshTokenRow) -> RefreshToken:
    """The refresh token, as it is kept."""
    return RefreshToken(
        token_hash=row.token_hash,
        login_session_id=row.login_session_id,
        create_time_us=row.create_time_us,
        expire_time_us=row.expire_time_us,
        used_time_us=row.used_time_us,
    )


def token_row(token: RefreshToken) -> RefreshTokenRow:
    """Its row."""
    return RefreshTokenRow(
        token_hash=token.token_hash,
        login_session_id=token.login_session_id,
        create_time_us=token.create_time_us,
        expire_time_us=token.expire_time_us,
        used_time_us=token.used_time_us,
    )
