"""What the accounts need from whoever keeps them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from mesh.pages import Place
from services.user.domain.access_keys import AccessKey
from services.user.domain.audit import AuditEvent
from services.user.domain.links import Link, LinkPurpose
from services.user.domain.logins import EndReason, LoginSession, RefreshToken, Verdict
from services.user.domain.people import Profile, Role, User
from services.user.domain.tickets import Ticket


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


@dataclass(frozen=True, slots=True)
class UsedKey:
    """A personal access token that was shown, and whose it is."""

    key: AccessKey
    user: User


@dataclass(frozen=True, slots=True)
class Revocation:
    """A login session or a personal access token that was ended."""

    session_id: str
    time_us: int


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

    async def credentials_of(self, user_id: str) -> Credentials | None:
        """Those of this person; a guest's hold no password."""
        ...

    async def user(self, user_id: str) -> User | None:
        """The person."""
        ...

    async def upgrade(self, user_id: str, email: str, password_hash: str, logins_end_us: int) -> User | None:
        """Turns a guest into an account, whose login sessions end then. None where there is no such guest.

        Raises:
            AlreadyExistsError: the address has an account.
        """
        ...

    async def change_password(self, user_id: str, old: str, new: str, now_us: int, *, but: str) -> bool:
        """Sets a new hash where the old one is still in place; ends all login sessions but that one, and all links."""
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

    async def add_login(self, login: LoginSession, token: RefreshToken, password_hash: str) -> bool:
        """Adds a login session with its first refresh token, if the password is still the one that was proven."""
        ...

    async def renew(
        self, token_hash: bytes, now_us: int, successor: Callable[[LoginSession], RefreshToken]
    ) -> Renewal | None:
        """Judges a presented token and carries the verdict out, alone with its login session. None if unknown."""
        ...

    async def logins(self, user_id: str, used_since_us: int, before: Place | None, limit: int) -> list[LoginSession]:
        """The person's login sessions that were used since then and have not ended, latest first, after `before`."""
        ...

    async def end_logins(
        self, user_id: str, now_us: int, reason: EndReason, *, only: str = "", but: str = ""
    ) -> int | None:
        """Ends the person's login sessions: that one, or all but that one. Returns how many; None if `only` is none."""
        ...


class Guessed(Protocol):
    """Keeps how often passwords were guessed, by what they were guessed for. Each call is one transaction."""

    async def admit(self, key: bytes, now_us: int, longest_s: int) -> int:
        """Counts one more guess and returns 0, or returns how many microseconds it has to wait, uncounted."""
        ...

    async def take_back(self, key: bytes) -> None:
        """Uncounts one guess."""
        ...

    async def forget(self, key: bytes) -> None:
        """Forgets the guesses."""
        ...

    async def prune(self, before_us: int) -> int:
        """Forgets all whose last guess was before; returns how many."""
        ...


class AuditTrail(Protocol):
    """Keeps what happened to accounts. Each call is one transaction."""

    async def add(self, event: AuditEvent) -> None:
        """Adds one."""
        ...

    async def events(self, user_id: str, before: Place | None, limit: int) -> list[AuditEvent]:
        """The account's, latest first, after `before`."""
        ...

    async def knows(self, user_id: str, network: str) -> bool:
        """Whether the person came from there before."""
        ...

    async def prune(self, before_us: int) -> int:
        """Forgets those from before; returns how many."""
        ...


@dataclass(frozen=True, slots=True)
class Verified:
    """An address that was shown to be its account's, and whether it takes another's place."""

    user: User
    is_new: bool


class Links(Protocol):
    """Keeps links that were sent by mail. Each call is one transaction."""

    async def add(self, link: Link) -> None:
        """Adds one."""
        ...

    async def owner(self, token_hash: bytes, purpose: LinkPurpose, now_us: int) -> User | None:
        """Whose it is, if it works."""
        ...

    async def verify_email(self, token_hash: bytes, now_us: int) -> Verified | None:
        """Makes the link's address the account's, and verified; uses the link up. None if it works no more.

        Raises:
            AlreadyExistsError: another account has the address by now.
        """
        ...

    async def reset_password(self, token_hash: bytes, password_hash: str, now_us: int) -> User | None:
        """Sets the password; ends all login sessions and links. None if this one works no more."""
        ...

    async def prune(self, before_us: int) -> int:
        """Forgets those that ended before; returns how many."""
        ...


class Roster(Protocol):
    """All accounts, for operators. Each call is one transaction."""

    async def accounts(self, before: Place | None, limit: int) -> list[User]:
        """Those with an address, latest first, after `before`."""
        ...

    async def add(self, user: User, password_hash: str) -> None:
        """Adds an account that logs in nowhere yet.

        Raises:
            AlreadyExistsError: the address has one.
        """
        ...

    async def change_role(self, user_id: str, role: Role, now_us: int) -> User | None:
        """Changes what an account may do, and ends its login sessions: their tokens say what it might before."""
        ...


class AccessKeyring(Protocol):
    """Keeps personal access tokens. Each call is one transaction, or two where it is noted that one was used."""

    async def add(self, key: AccessKey, token_hash: bytes) -> None:
        """Adds one.

        Raises:
            ExhaustedError: the person has as many as one may have.
            NotFoundError: there is no such person.
        """
        ...

    async def of(self, user_id: str, before: Place | None, limit: int) -> list[AccessKey]:
        """The person's that were not revoked, latest first, `limit` of them behind `before`."""
        ...

    async def revoke(self, user_id: str, access_key_id: str, now_us: int) -> bool | None:
        """Revokes one; False where it was, None where it is not the person's."""
        ...

    async def use(self, token_hash: bytes, now_us: int) -> UsedKey | None:
        """The one with this token, if it still works; notes that it was used, at most once a minute."""
        ...


class TicketDrawer(Protocol):
    """Keeps tickets that were not used yet. Each call is one transaction."""

    async def add(self, ticket: Ticket) -> None:
        """Adds one.

        Raises:
            NotFoundError: there is no such person.
        """
        ...

    async def take(self, token_hash: bytes) -> Ticket | None:
        """Removes the one with this token and returns it: of any number who take at once, to one of them."""
        ...

    async def prune(self, before_us: int) -> int:
        """Forgets those that ended before; returns how many."""
        ...


class Standings(Protocol):
    """Knows which login sessions and personal access tokens, by their ids, still stand."""

    async def stands(self, session_id: str, now_us: int) -> bool:
        """Whether this one does."""
        ...

    async def ended_since(self, start_us: int, limit: int) -> list[Revocation]:
        """Those that were ended from then on, oldest first; those that only expired are not among them."""
        ...

    async def prune(self, before_us: int) -> int:
        """Forgets those of people who are gone and that were ended before; returns how many."""
        ...
