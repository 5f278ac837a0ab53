"""Login sessions as families of refresh tokens: each works once, and the second use ends the family."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

#: How long a refresh token that was used still returns its successor: two tabs, or an answer lost on the way.
GRACE_US: Final = 10_000_000


class EndReason(Enum):
    """Why a login session was ended before its time."""

    LOGGED_OUT = "logged_out"
    TOKEN_REUSED = "token_reused"
    REVOKED = "revoked"
    PASSWORD_CHANGED = "password_changed"
    EMAIL_CHANGED = "email_changed"
    ROLE_CHANGED = "role_changed"


@dataclass(frozen=True, slots=True)
class LoginSession:
    """A place where a person is logged in."""

    login_session_id: str
    user_id: str
    client: str
    create_time_us: int
    last_used_time_us: int
    #: When it ends however often it is renewed. None for guests, who could not log in again.
    end_time_us: int | None
    revoked: bool = False


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A refresh token as it is kept: by its SHA-256 only."""

    token_hash: bytes
    login_session_id: str
    create_time_us: int
    expire_time_us: int
    used_time_us: int | None = None


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long what is issued holds."""

    access_s: int
    refresh_s: int
    login_s: int

    def refresh_ends_us(self, session: LoginSession, now_us: int) -> int:
        """When a refresh token issued now expires: never after its login session."""
        sliding = now_us + self.refresh_s * 1_000_000
        return sliding if session.end_time_us is None else min(sliding, session.end_time_us)


class Verdict(Enum):
    """What to do with a refresh token that was presented."""

    #: Issue the successor.
    ROTATE = "rotate"
    #: Return the successor that was issued already.
    REPEAT = "repeat"
    #: End the login session: someone holds a token they should not have.
    END = "end"
    #: It works no more, and tells nothing.
    REFUSE = "refuse"


def judge(session: LoginSession, token: RefreshToken, successor: RefreshToken | None, now_us: int) -> Verdict:
    """What to do with `token` of `session`, whose successor is known where it was issued already."""
    if session.revoked or now_us >= token.expire_time_us:
        return Verdict.REFUSE
    if token.used_time_us is None:
        return Verdict.ROTATE
    # Once the successor is in use, its owner has it: whoever shows the parent now is someone else.
    if successor is not None and successor.used_time_us is None and now_us - token.used_time_us <= GRACE_US:
        return Verdict.REPEAT
    return Verdict.END
