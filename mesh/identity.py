"""Who makes the current call."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final

from mesh.errors import UnauthenticatedError

#: What ids of personal access tokens begin with.
ACCESS_KEY: Final = "key_"
#: Clocks of different machines differ by up to this.
LEEWAY_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Caller:
    """A person (with `user_id`) or a service of the mesh (with `service`), never both."""

    user_id: str = ""
    #: `sid` of the token: the login session, or the personal access token that stands for the person.
    login_session_id: str = ""
    scopes: frozenset[str] = frozenset()
    service: str = ""
    guest: bool = False
    #: When the token expires, in seconds since 1970. It is the token's, and makes nobody another.
    expires_at: float = field(default=math.inf, compare=False)

    @property
    def in_person(self) -> bool:
        """Whether the person has logged in, and no program calls for them with a personal access token."""
        return bool(self.user_id) and not self.login_session_id.startswith(ACCESS_KEY)

    def expired(self, now_s: float) -> bool:
        """Whether the token has expired, by any clock that may be asked; `now_s` as `expires_at`."""
        return now_s >= self.expires_at + LEEWAY_S


_current: ContextVar[Caller | None] = ContextVar("caller", default=None)


def caller() -> Caller:
    """Who makes the current call.

    Raises:
        UnauthenticatedError: the RPC is open to anyone and no token came with it, or this is no call at all.
    """
    found = _current.get()
    if found is None:
        raise UnauthenticatedError("Sign in and send the access token with the call.", reason="TOKEN_MISSING")
    return found


@contextmanager
def as_caller(known: Caller) -> Iterator[Caller]:
    """Makes `known` the caller within the block; for tests and for work a service does in its own name."""
    token = _current.set(known)
    try:
        yield known
    finally:
        _current.reset(token)


def enter(known: Caller) -> None:
    """Makes `known` the caller for the rest of the current task; for the auth interceptor, whose task is the call."""
    _current.set(known)
