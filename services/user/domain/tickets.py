"""Tickets, each of which opens one WebSocket: whom one stands for, and where it may be used."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket as it is kept: by its SHA-256 only."""

    token_hash: bytes
    user_id: str
    #: The login session or personal access token of who asked for it, and what that may do.
    session_id: str
    scopes: frozenset[str]
    #: The only page it may be used from; "" for any.
    origin: str
    expire_time_us: int

    def opens(self, origin: str, now_us: int) -> bool:
        """Whether it opens a socket of a page of `origin` now."""
        return now_us < self.expire_time_us and self.origin in ("", origin)
