"""Links that are sent by mail and work once: whoever has one, reads that address."""

from dataclasses import dataclass
from enum import Enum
from typing import Final


class LinkPurpose(Enum):
    """What a link does."""

    RESET_PASSWORD = "reset"
    VERIFY_EMAIL = "verify"


_HOUR_US: Final = 3_600_000_000
LIFETIMES_US: Final = {LinkPurpose.RESET_PASSWORD: _HOUR_US, LinkPurpose.VERIFY_EMAIL: 24 * _HOUR_US}


@dataclass(frozen=True, slots=True)
class Link:
    """A link as it is kept: its token by its SHA-256 only."""

    token_hash: bytes
    user_id: str
    purpose: LinkPurpose
    #: Where it was sent. A link that sets a password works only while this is still the account's address.
    email: str
    expire_time_us: int
