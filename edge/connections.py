"""The connection a request came by, for those who must break it off."""

from typing import Protocol

from starlette.types import Scope


class Connection(Protocol):
    """One connection of a client."""

    def cut(self) -> None:
        """Ends it at once, whatever is on its way."""
        ...


def connection_of(scope: Scope) -> Connection:
    """The connection that `scope` came by."""
    connection: Connection = scope["state"]["connection"]
    return connection
