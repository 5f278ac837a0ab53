"""Makes login sessions and the tokens that go with them."""

from dataclasses import dataclass
from typing import Final

from mesh.clock import Clock
from mesh.ids import new_id
from services.user.domain.logins import Lifetimes, LoginSession, RefreshToken
from services.user.domain.people import Role, User
from services.user.keys import SigningKeys
from services.user.refresh_tokens import RefreshTokens, hash_of

#: What a person may do. Who only looks, or only talks, gets an access key with fewer.
_SCOPES: Final = "talk read write"
_ADMIN_SCOPES: Final = f"{_SCOPES} admin"


@dataclass(frozen=True, slots=True)
class Issued:
    """Tokens as they go to the client, and nowhere else."""

    access_token: str
    access_lifetime_s: int
    refresh_token: str
    login_session_id: str


class Issuer:
    """Makes them; whoever asked keeps them."""

    def __init__(self, *, keys: SigningKeys, refresh_tokens: RefreshTokens, lifetimes: Lifetimes, clock: Clock) -> None:
        self._keys = keys
        self._lifetimes = lifetimes
        self._clock = clock
        self.refresh_tokens = refresh_tokens

    def login(self, user: User, client: str) -> LoginSession:
        """A login session that begins now."""
        now_us = self.now_us()
        return LoginSession(
            login_session_id=new_id("lgn"),
            user_id=user.user_id,
            client=client,
            create_time_us=now_us,
            last_used_time_us=now_us,
            end_time_us=None if user.guest else self.login_ends_us(),
        )

    def login_ends_us(self) -> int:
        """When an account that logs in now has to log in again."""
        return self.now_us() + self._lifetimes.login_s * 1_000_000

    def kept(self, login: LoginSession, token: str) -> RefreshToken:
        """What is kept of a refresh token of `login` that is issued now."""
        now_us = self.now_us()
        return RefreshToken(
            token_hash=hash_of(token),
            login_session_id=login.login_session_id,
            create_time_us=now_us,
            expire_time_us=self._lifetimes.refresh_ends_us(login, now_us),
        )

    def issued(self, user: User, login_session_id: str, refresh_token: str) -> Issued:
        """Both tokens, for the client."""
        claims = {"sid": login_session_id, "scope": scopes_of(user), "guest": user.guest}
        access_token = self._keys.signer.sign(user.user_id, lifetime_s=self._lifetimes.access_s, claims=claims)
        return Issued(access_token, self._lifetimes.access_s, refresh_token, login_session_id)

    def brief(self, user: User, session_id: str, scopes: frozenset[str], lifetime_s: int) -> Issued:
        """An access token alone, for what stands for a login: `session_id` is its `sid`, `scopes` are lent to it."""
        scope = " ".join(sorted(scopes & frozenset(scopes_of(user).split())))
        claims = {"sid": session_id, "scope": scope, "guest": user.guest}
        access_token = self._keys.signer.sign(user.user_id, lifetime_s=lifetime_s, claims=claims)
        return Issued(access_token, lifetime_s, "", session_id)

    def living_since_us(self) -> int:
        """A login session that was not renewed since then can't be any more."""
        return self.now_us() - self._lifetimes.refresh_s * 1_000_000

    def now_us(self) -> int:
        """The time as it is kept: microseconds since 1970."""
        return int(self._clock.wall().timestamp() * 1_000_000)


def scopes_of(user: User) -> str:
    """What the person may do, as an access token says it."""
    return _ADMIN_SCOPES if user.role is Role.ADMIN else _SCOPES
