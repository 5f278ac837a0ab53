"""What the accounts need from whoever keeps them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from services.user.domain.logins import EndReason, LoginSession, RefreshToken, Verdict
from services.user.domain.people import Profile, User


@dataclass(frozen=True, slots=True)
class Credentials:
    """What an account proves itself by, and how it was registered."""

    user: User
    password_hash: str
    registration_id: str
    registration_login_session_id: str


@dataclass(frozen=True, slots=True)
class Renewal:
    """What became of a refresh token that was presented."""

    verdict: Verdict
    user: User
    login_session_id: str


class People(Protocol):
    """Keeps people. Each call is one transaction."""

    async def add_user(
        self, user: User, password_hash: str, registration_id: str, login: LoginSession, token: RefreshToken
    ) -> None:
        """Adds a person who logs in with it.

        Raises:
            AlreadyExistsError: the address has an account.
        """
        ...

    async def credentials(self, email_key: str) -> Credentials | None:
        """Those of the account with this address."""
        ...

    async def user(self, user_id: str) -> User | None:
        """The person."""
        ...

    async def change_profile(self, user_id: str, change: Callable[[Profile], Profile]) -> User | None:
        """Applies `change` to the profile, alone with it; returns the person after it."""
        ...

    async def replace_password_hash(self, user_id: str, old: str, new: str) -> None:
        """Sets a new hash where the old one is still in place."""
        ...


class Logins(Protocol):
    """Keeps login sessions. Each call is one transaction."""

    async def login(self, login_session_id: str) -> LoginSession | None:
        """The login session."""
        ...

    async def add_login(self, login: LoginSession, token: RefreshToken) -> None:
        """Adds a login session with its first refresh token."""
        ...

    async def renew(
        self, token_hash: bytes, now_us: int, successor: Callable[[LoginSession], RefreshToken]
    ) -> Renewal | None:
        """Judges a presented token and carries the verdict out, alone with its login session. None if unknown."""
        ...

    async def end_login(self, login_session_id: str, now_us: int, reason: EndReason) -> None:
        """Ends a login session; nothing where it has ended."""
        ...
