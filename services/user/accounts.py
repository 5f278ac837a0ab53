"""Registers people, logs them in and out, and renews their tokens."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, assert_never

from mesh.clock import Clock
from mesh.errors import AlreadyExistsError, BadCredentialsError, NotFoundError, UnauthenticatedError
from mesh.ids import new_id
from mesh.tokens import TokenSigner
from services.user.domain.keeping import Credentials, People
from services.user.domain.logins import EndReason, Lifetimes, LoginSession, RefreshToken, Verdict
from services.user.domain.people import (
    Profile,
    Role,
    User,
    changed_profile,
    checked_profile,
    email_key,
    new_password,
    normal_email,
    normal_password,
)
from services.user.passwords import Passwords
from services.user.refresh_tokens import RefreshTokens, hash_of

#: What a person may do. Who only looks, or only talks, gets an access key with fewer.
SCOPES: Final = "talk read write"
_DAY_US: Final = 86_400_000_000

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Issued:
    """Tokens as they go to the client, and nowhere else."""

    access_token: str
    access_lifetime_s: int
    refresh_token: str
    login_session_id: str


class Accounts:
    """What anyone, and what a signed-in person, can do about an account. Cancelling a call may leave it done."""

    def __init__(
        self,
        *,
        people: People,
        passwords: Passwords,
        signer: TokenSigner,
        refresh_tokens: RefreshTokens,
        lifetimes: Lifetimes,
        clock: Clock,
    ) -> None:
        self._people = people
        self._passwords = passwords
        self._signer = signer
        self._refresh_tokens = refresh_tokens
        self._lifetimes = lifetimes
        self._clock = clock

    async def register(
        self, email: str, password: str, profile: Profile, *, client: str = "", request_id: str = ""
    ) -> tuple[User, Issued]:
        """Creates an account and logs in. The same `request_id` with the same password gives the same, for a day.

        Raises:
            AlreadyExistsError: the address has an account.
            InvalidFieldError: the address, the password or the profile breaks its rule.
        """
        password_hash = await self._passwords.hash(new_password(password))
        user = self._new_user(normal_email(email), profile)
        token = self._refresh_tokens.first(user.user_id, request_id) if request_id else self._refresh_tokens.fresh()
        login = self._new_login(user, client)
        try:
            await self._people.add_user(user, password_hash, request_id, login, self._kept(login, token))
        except AlreadyExistsError:
            known = await self._people.credentials(email_key(email))
            if known is None or not request_id or not await self._repeats(known, password, request_id):
                raise
            token = self._refresh_tokens.first(known.user.user_id, request_id)
            return known.user, self._issued(known.user, known.registration_login_session_id, token)
        _log.info("user registered", extra={"user_id": user.user_id})
        return user, self._issued(user, login.login_session_id, token)

    async def create_guest(self, profile: Profile, *, client: str = "") -> tuple[User, Issued]:
        """Creates a person without address and password, and logs in."""
        user = self._new_user("", profile)
        token = self._refresh_tokens.fresh()
        login = self._new_login(user, client)
        await self._people.add_user(user, "", "", login, self._kept(login, token))
        _log.info("guest created", extra={"user_id": user.user_id})
        return user, self._issued(user, login.login_session_id, token)

    async def log_in(self, email: str, password: str, *, client: str = "") -> tuple[User, Issued]:
        """Opens a login session.

        Raises:
            BadCredentialsError: the address or the password is wrong; both take as long.
        """
        known = await self._people.credentials(email_key(email))
        check = await self._passwords.check(normal_password(password), known.password_hash if known else "")
        if known is None or not check.right:
            raise BadCredentialsError("The e-mail address or the password is wrong; check both and try again.")
        if check.rehashed:
            await self._people.replace_password_hash(known.user.user_id, known.password_hash, check.rehashed)
        token = self._refresh_tokens.fresh()
        login = self._new_login(known.user, client)
        await self._people.add_login(login, self._kept(login, token))
        _log.info("logged in", extra={"user_id": known.user.user_id, "login_session_id": login.login_session_id})
        return known.user, self._issued(known.user, login.login_session_id, token)

    async def refresh(self, presented: str) -> Issued:
        """Renews the tokens of a login session.

        Raises:
            UnauthenticatedError: the token is unknown, expired, of a login session that has ended, or was used before,
                which ends its login session.
        """
        successor = self._refresh_tokens.successor(presented)
        renewal = await self._people.renew(
            hash_of(presented), self._now_us(), lambda login: self._kept(login, successor)
        )
        if renewal is None:
            raise _log_in_again()
        match renewal.verdict:
            case Verdict.ROTATE | Verdict.REPEAT:
                return self._issued(renewal.user, renewal.login_session_id, successor)
            case Verdict.END:
                _log.warning(
                    "refresh token reused", extra={"user_id": renewal.user.user_id, "sid": renewal.login_session_id}
                )
                raise _log_in_again()
            case Verdict.REFUSE:
                raise _log_in_again()
            case _:
                assert_never(renewal.verdict)

    async def log_out(self, login_session_id: str) -> None:
        """Ends the login session; its access tokens hold until they expire."""
        await self._people.end_login(login_session_id, self._now_us(), EndReason.LOGGED_OUT)
        _log.info("logged out", extra={"login_session_id": login_session_id})

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
        if known.registration_id != request_id or self._now_us() - known.user.create_time_us > _DAY_US:
            return False
        if not (await self._passwords.check(normal_password(password), known.password_hash)).right:
            return False
        login = await self._people.login(known.registration_login_session_id)
        return login is not None and not login.revoked

    def _new_user(self, email: str, profile: Profile) -> User:
        return User(
            user_id=new_id("usr"),
            email=email,
            email_verified=False,
            guest=not email,
            role=Role.LEARNER,
            profile=checked_profile(profile),
            create_time_us=self._now_us(),
        )

    def _new_login(self, user: User, client: str) -> LoginSession:
        now_us = self._now_us()
        return LoginSession(
            login_session_id=new_id("lgn"),
            user_id=user.user_id,
            client=client,
            create_time_us=now_us,
            last_used_time_us=now_us,
            end_time_us=None if user.guest else now_us + self._lifetimes.login_s * 1_000_000,
        )

    def _kept(self, login: LoginSession, token: str) -> RefreshToken:
        now_us = self._now_us()
        return RefreshToken(
            token_hash=hash_of(token),
            login_session_id=login.login_session_id,
            create_time_us=now_us,
            expire_time_us=self._lifetimes.refresh_ends_us(login, now_us),
        )

    def _issued(self, user: User, login_session_id: str, refresh_token: str) -> Issued:
        claims = {"sid": login_session_id, "scope": SCOPES, "guest": user.guest}
        access_token = self._signer.sign(user.user_id, lifetime_s=self._lifetimes.access_s, claims=claims)
        return Issued(access_token, self._lifetimes.access_s, refresh_token, login_session_id)

    def _now_us(self) -> int:
        return int(self._clock.wall().timestamp() * 1_000_000)


def _found(user: User | None) -> User:
    if user is None:
        raise NotFoundError("There is no such account; it may have been deleted.")
    return user


def _log_in_again() -> UnauthenticatedError:
    return UnauthenticatedError("The refresh token works no more; log in again.", field="refresh_token")
