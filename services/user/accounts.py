"""Registers people and logs them in."""

import logging
from collections.abc import Sequence
from typing import Final

from mesh.errors import AlreadyExistsError, ConflictError, NotAllowedError, NotFoundError
from mesh.ids import new_id
from services.user.addresses import Addresses
from services.user.domain.acts import Act
from services.user.domain.audit import AuditKind
from services.user.domain.keeping import Credentials, Logins, People
from services.user.domain.people import (
    Profile,
    Role,
    User,
    changed_profile,
    checked_profile,
    email_key,
    known_of,
    normal_email,
    normal_password,
)
from services.user.guard import Guard
from services.user.issuing import Issued, Issuer
from services.user.passwords import Passwords

_DAY_US: Final = 86_400_000_000

_log: Final = logging.getLogger(__name__)


class Accounts:
    """What anyone, and what a signed-in person, can do about an account. Cancelling a call may leave it done."""

    def __init__(
        self,
        *,
        people: People,
        logins: Logins,
        passwords: Passwords,
        issuer: Issuer,
        addresses: Addresses,
        guard: Guard,
    ) -> None:
        self._people = people
        self._logins = logins
        self._passwords = passwords
        self._issuer = issuer
        self._addresses = addresses
        self._guard = guard

    async def register(
        self, email: str, password: str, profile: Profile, *, client: str = "", request_id: str = ""
    ) -> tuple[User, Issued]:
        """Creates an account and logs in. The same `request_id` with the same password gives the same, for a day.

        Raises:
            AlreadyExistsError: the address has an account.
            InvalidFieldError: the address, the password or the profile breaks its rule.
        """
        await self._guard.limits.place(Act.REGISTER)
        user = self._new_user(normal_email(email), profile)
        password_hash = await self._passwords.hash_new(password, about=known_of(user))
        token = self._issuer.refresh_tokens.first(user.user_id, request_id)
        login = self._issuer.login(user, client)
        try:
            await self._people.add_user(user, password_hash, request_id, login, self._issuer.kept(login, token))
        except AlreadyExistsError:
            known = await self._people.credentials(email_key(email))
            if known is None or not request_id or not await self._repeats(known, password, request_id):
                raise
            token = self._issuer.refresh_tokens.first(known.user.user_id, request_id)
            return known.user, self._issuer.issued(known.user, known.registration_login_session_id, token)
        await self._guard.audit.note(AuditKind.REGISTERED, user.user_id, client=client)
        self._addresses.welcome(user)
        _log.info("user registered", extra={"user_id": user.user_id})
        return user, self._issuer.issued(user, login.login_session_id, token)

    async def create_guest(self, profile: Profile, *, client: str = "") -> tuple[User, Issued]:
        """Creates a person without address and password, and logs in."""
        await self._guard.limits.place(Act.GUEST)
        user = self._new_user("", profile)
        token = self._issuer.refresh_tokens.fresh()
        login = self._issuer.login(user, client)
        await self._people.add_user(user, "", "", login, self._issuer.kept(login, token))
        await self._guard.audit.note(AuditKind.GUEST_CREATED, user.user_id, client=client)
        _log.info("guest created", extra={"user_id": user.user_id})
        return user, self._issuer.issued(user, login.login_session_id, token)

    async def upgrade(self, user_id: str, email: str, password: str) -> User:
        """Turns a guest into an account, with all that is theirs. Tokens say so from their next renewal on.

        Raises:
            AlreadyExistsError: the address has an account.
            InvalidFieldError: the address or the password breaks its rule.
            NotAllowedError: this is no guest.
        """
        await self._guard.limits.place(Act.REGISTER)
        guest = await self.user(user_id)
        if not guest.guest:
            raise _no_guest()
        address = normal_email(email)
        password_hash = await self._passwords.hash_new(password, about=(address, guest.profile.display_name))
        user = await self._people.upgrade(user_id, address, password_hash, self._issuer.login_ends_us())
        if user is None:
            raise _no_guest()
        await self._guard.audit.note(AuditKind.GUEST_UPGRADED, user_id)
        self._addresses.welcome(user)
        _log.info("guest upgraded", extra={"user_id": user_id})
        return user

    async def log_in(self, email: str, password: str, *, client: str = "") -> tuple[User, Issued]:
        """Opens a login session.

        Raises:
            BadCredentialsError: the address or the password is wrong; both take as long.
            RateLimitedError: too many wrong ones came before.
        """
        await self._guard.limits.place(Act.LOG_IN)
        key = email_key(email)
        known = await self._people.credentials(key)
        proven_by = await self._guard.proof.require(key, known, password, client=client)
        assert known is not None, "nobody proves to be an account that is not there"
        token = self._issuer.refresh_tokens.fresh()
        login = self._issuer.login(known.user, client)
        if not await self._logins.add_login(login, self._issuer.kept(login, token), proven_by):
            raise ConflictError("The account was changed at the same moment; log in again.")
        await self._guard.audit.note(AuditKind.LOGGED_IN, known.user.user_id, client=client)
        _log.info("logged in", extra={"user_id": known.user.user_id, "login_session_id": login.login_session_id})
        return known.user, self._issuer.issued(known.user, login.login_session_id, token)

    async def user(self, user_id: str) -> User:
        """The person.

        Raises:
            NotFoundError: the account was deleted.
        """
        return _found(await self._people.user(user_id))

    async def update(self, user_id: str, profile: Profile, paths: Sequence[str]) -> User:
        """Changes the fields of the profile that `paths` name.

        Raises:
            InvalidFieldError: a path names no field, or a value breaks its rule.
            NotFoundError: the account was deleted.
        """
        return _found(await self._people.change_profile(user_id, lambda old: changed_profile(old, profile, paths)))

    async def _repeats(self, known: Credentials, password: str, request_id: str) -> bool:
        """Whether this is the call that created the account, once more: only who knows the password may get tokens."""
        if known.registration_id != request_id or self._issuer.now_us() - known.user.create_time_us > _DAY_US:
            return False
        if not (await self._passwords.check(normal_password(password), known.password_hash)).right:
            return False
        login = await self._logins.login(known.registration_login_session_id)
        return login is not None and not login.revoked

    def _new_user(self, email: str, profile: Profile) -> User:
        return User(
            user_id=new_id("usr"),
            email=email,
            email_verified=False,
            guest=not email,
            role=Role.LEARNER,
            profile=checked_profile(profile),
            create_time_us=self._issuer.now_us(),
        )


def _found(user: User | None) -> User:
    if user is None:
        raise NotFoundError("There is no such account; it may have been deleted.")
    return user


def _no_guest() -> NotAllowedError:
    return NotAllowedError("This is an account already; change its address and password by the calls for that.")
