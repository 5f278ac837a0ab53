"""What nobody may do as often as they like."""

from enum import Enum


class Act(Enum):
    """What is bounded."""

    REGISTER = "register"
    GUEST = "guest"
    LOG_IN = "log_in"
    REFRESH = "refresh"
    #: Asking for a link to set a new password.
    RESET = "reset"
    #: Asking for a link that verifies an address.
    VERIFY = "verify"
    #: Showing the token of such a link.
    LINK = "link"
    #: Asking for a ticket that opens a WebSocket.
    TICKET = "ticket"
