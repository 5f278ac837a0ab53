"""What lets a stream go on: whoever opened it, as long as their access token holds or they bring another."""

from collections.abc import Awaitable, Callable
from contextvars import ContextVar

from mesh.calls import Call
from mesh.errors import NotAllowedError, UnauthenticatedError, VivavoceError
from mesh.identity import Caller

Verify = Callable[[str], Awaitable[Caller]]


class Entitlement:
    """Whose call this is, and by which access token; a long stream may be brought a fresh one."""

    def __init__(self, who: Caller, scopes: frozenset[str], verify: Verify, call: Call) -> None:
        self.who = who
        self.call = call
        self._scopes = scopes
        self._verify = verify

    async def renew(self, token: str) -> Caller:
        """Goes on by another access token: the call now ends with its login session, and when it expires.

        Raises:
            UnauthenticatedError: it is not valid.
            NotAllowedError: it is another person's, or may do less than the call needs.
            VivavoceError: it could not be verified.
        """
        fresh = await self._verify(token)
        if fresh.user_id != self.who.user_id or self._scopes - fresh.scopes:
            raise NotAllowedError("The access token is not this person's for this call; send a fresh one of theirs.")
        self.who = fresh
        return fresh

    async def end(self, error: VivavoceError) -> None:
        """Ends the call with `error`."""
        await self.call.end(error)


_current: ContextVar[Entitlement | None] = ContextVar("entitlement", default=None)


def entitlement() -> Entitlement:
    """That of the current call.

    Raises:
        UnauthenticatedError: no person makes it.
    """
    found = _current.get()
    if found is None:
        raise UnauthenticatedError("Sign in and send the access token with the call.", reason="TOKEN_MISSING")
    return found


def enter(known: Entitlement) -> None:
    """Makes `known` that of the current task; for the auth interceptor, whose task is the call."""
    _current.set(known)
