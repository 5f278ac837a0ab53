"""What happened to accounts, for their owners and operators to look back on."""

from dataclasses import dataclass
from enum import Enum
from typing import Final


class AuditKind(Enum):
    """What happened. The words are part of the contract: clients show and filter them."""

    REGISTERED = "registered"
    GUEST_CREATED = "guest_created"
    GUEST_UPGRADED = "guest_upgraded"
    LOGGED_IN = "logged_in"
    LOGIN_FAILED = "login_failed"
    LOGGED_OUT = "logged_out"
    LOGIN_SESSION_REVOKED = "login_session_revoked"
    REFRESH_TOKEN_REUSED = "refresh_token_reused"
    PASSWORD_CHANGED = "password_changed"
    PASSWORD_RESET_REQUESTED = "password_reset_requested"
    PASSWORD_RESET = "password_reset"
    EMAIL_VERIFICATION_SENT = "email_verification_sent"
    EMAIL_VERIFIED = "email_verified"
    EMAIL_CHANGE_REQUESTED = "email_change_requested"
    EMAIL_CHANGED = "email_changed"
    ROLE_CHANGED = "role_changed"
    ACCOUNT_DELETED = "account_deleted"
    ACCESS_KEY_CREATED = "access_key_created"
    ACCESS_KEY_REVOKED = "access_key_revoked"


#: After these a place counts as one the person comes from.
MAKES_KNOWN: Final = (AuditKind.REGISTERED, AuditKind.GUEST_UPGRADED, AuditKind.LOGGED_IN)


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One thing that happened. `user_id` is empty where an address was tried that has no account."""

    event_id: str
    time_us: int
    kind: AuditKind
    user_id: str
    network: str
    client: str
