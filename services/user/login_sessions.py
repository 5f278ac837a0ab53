"""What becomes of a login session after it was opened."""

import logging
from typing import Final, assert_never

from mesh.errors import UnauthenticatedError
from services.user.domain.keeping import Logins
from services.user.domain.logins import EndReason, Verdict
from services.user.issuing import Issued, Issuer
from services.user.refresh_tokens import hash_of

_log: Final = logging.getLogger(__name__)


class LoginSessions:
    """Renews and ends them. Cancelling a call may leave it done."""

    def __init__(self, *, logins: Logins, issuer: Issuer) -> None:
        self._logins = logins
        self._issuer = issuer

    async def refresh(self, presented: str) -> Issued:
        """Renews the tokens of a login session.

        Raises:
            UnauthenticatedError: the token is unknown, expired, of a login session that has ended, or was used before,
                which ends its login session.
        """
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
                raise _log_in_again()
            case Verdict.REFUSE:
                raise _log_in_again()
            case _:
                assert_never(renewal.verdict)

    async def log_out(self, login_session_id: str) -> None:
        """Ends the login session; its access tokens hold until they expire."""
        await self._logins.end_login(login_session_id, self._issuer.now_us(), EndReason.LOGGED_OUT)
        _log.info("logged out", extra={"login_session_id": login_session_id})


def _log_in_again() -> UnauthenticatedError:
    return UnauthenticatedError("The refresh token works no more; log in again.", field="refresh_token")
