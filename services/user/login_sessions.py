"""What becomes of a login session after it was opened."""

import logging
from typing import Final, assert_never

from mesh.errors import NotFoundError, UnauthenticatedError
from mesh.pages import Place
from services.user.domain.acts import Act
from services.user.domain.audit import AuditKind
from services.user.domain.keeping import Logins
from services.user.domain.logins import EndReason, LoginSession, Verdict
from services.user.guard import Guard
from services.user.issuing import Issued, Issuer
from services.user.refresh_tokens import hash_of

_log: Final = logging.getLogger(__name__)


class LoginSessions:
    """Renews, lists and ends them. Cancelling a call may leave it done."""

    def __init__(self, *, logins: Logins, issuer: Issuer, guard: Guard) -> None:
        self._logins = logins
        self._issuer = issuer
        self._guard = guard

    async def refresh(self, presented: str) -> Issued:
        """Renews the tokens of a login session.

        Raises:
            UnauthenticatedError: the token is unknown, expired, of a login session that has ended, or was used before,
                which ends its login session.
        """
        await self._guard.limits.place(Act.REFRESH)
        successor = self._issuer.refresh_tokens.successor(presented)
        renewal = await self._logins.renew(
            hash_of(presented), self._issuer.now_us(), lambda login: self._issuer.kept(login, successor)
        )
        if renewal is None:
            raise _log_in_again()
        match renewal.verdict:
            case Verdict.ROTATE | Verdict.REPEAT:
                return self._issuer.issued(renewal.user, renewal.login_session_id, successor)
            case Verdict.END:
                _log.warning(
                    "refresh token reused", extra={"user_id": renewal.user.user_id, "sid": renewal.login_session_id}
                )
                await self._guard.audit.note(AuditKind.REFRESH_TOKEN_REUSED, renewal.user.user_id)
                raise _log_in_again()
            case Verdict.REFUSE:
                raise _log_in_again()
            case _:
                assert_never(renewal.verdict)

    async def log_out(self, user_id: str, login_session_id: str) -> None:
        """Ends the caller's login session; its access tokens hold until they expire."""
        if await self._logins.end_logins(user_id, self._issuer.now_us(), EndReason.LOGGED_OUT, only=login_session_id):
            await self._guard.audit.note(AuditKind.LOGGED_OUT, user_id)
            _log.info("logged out", extra={"login_session_id": login_session_id})

    async def list(self, user_id: str, before: Place | None, limit: int) -> list[LoginSession]:
        """Where the person is logged in, latest first. What can't be renewed any more is not among them."""
        return await self._logins.logins(user_id, self._issuer.living_since_us(), before, limit)

    async def revoke(self, user_id: str, *, only: str = "", but: str = "") -> int:
        """Ends the person's login sessions: that one, or all but that one. Returns how many.

        Raises:
            NotFoundError: that one is not theirs.
        """
        ended = await self._logins.end_logins(user_id, self._issuer.now_us(), EndReason.REVOKED, only=only, but=but)
        if ended is None:
            raise NotFoundError("You have no such login session; list them to see those you have.")
        if ended:
            await self._guard.audit.note(AuditKind.LOGIN_SESSION_REVOKED, user_id)
            _log.info("login sessions revoked", extra={"user_id": user_id, "count": ended})
        return ended


def _log_in_again() -> UnauthenticatedError:
    return UnauthenticatedError("The refresh token works no more; log in again.", field="refresh_token")
