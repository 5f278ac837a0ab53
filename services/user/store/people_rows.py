"""People as rows."""

from typing import Any, Final

from sqlalchemy import JSON, BigInteger, String
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from mesh.errors import AlreadyExistsError, NotFoundError
from services.user.domain.keeping import Credentials
from services.user.domain.logins import LoginSession
from services.user.domain.people import Profile, Role, User, email_key
from services.user.store.base import Base, storable

#: Parts of a profile that are lists; JSON knows no tuples.
_LISTS: Final = ("goals", "interests")


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


def held(session: Session, user_id: str) -> UserRow:
    """The row of a person, locked, for what is added to it.

    Raises:
        NotFoundError: the account was deleted.
    """
    row = session.get(UserRow, user_id, with_for_update=True)
    if row is None:
        raise NotFoundError("There is no such account; it may have been deleted.")
    return row


def user_row(user: User, password_hash: str, registration_id: str = "", login: LoginSession | None = None) -> UserRow:
    """The row of a person, who came in with `login` where they registered themselves."""
    return UserRow(
        user_id=user.user_id,
        email=user.email or None,
        email_key=email_key(user.email) if user.email else None,
        email_verified=user.email_verified,
        guest=user.guest,
        role=user.role.value,
        password_hash=password_hash or None,
        registration_id=storable(registration_id) or None,
        registration_login_session_id=login.login_session_id if login and registration_id else None,
        profile=profile_columns(user.profile),
        create_time_us=user.create_time_us,
    )


def flush_address(session: Session) -> None:
    """Writes a row with a new address.

    Raises:
        AlreadyExistsError: another account has it.
    """
    try:
        session.flush()
    except IntegrityError:
        raise AlreadyExistsError(
            "This e-mail address has an account; log in instead.", field="email"
        ) from None  # What the database says repeats the address.


def credentials_of(row: UserRow) -> Credentials:
    """What the person proves themselves by."""
    return Credentials(
        user=user_of(row),
        password_hash=row.password_hash or "",
        registration_id=row.registration_id or "",
        registration_login_session_id=row.registration_login_session_id or "",
    )


def user_of(row: UserRow) -> User:
    """The person."""
    return User(
        user_id=row.user_id,
        email=row.email or "",
        email_verified=row.email_verified,
        guest=row.guest,
        role=Role(row.role),
        profile=profile_of(row.profile),
        create_time_us=row.create_time_us,
    )


def profile_of(columns: dict[str, Any]) -> Profile:
    """The profile behind the JSON."""
    values: dict[str, Any] = {**columns, **{name: tuple(columns[name]) for name in _LISTS}}
    return Profile(**values)


def profile_columns(profile: Profile) -> dict[str, Any]:
    """The profile as JSON."""
    return {name: getattr(profile, name) for name in Profile.__dataclass_fields__}
