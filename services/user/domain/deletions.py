"""Deleting an account: what is removed where, in which order, and when a service that failed is asked again."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

#: Services that keep something about people, in the order they are asked: talks end first, then what was said and heard
#: goes. The account itself is gone before them all, in the transaction that begins the deletion.
SERVICES: Final = ("conversation", "history", "media")
_FIRST_PAUSE_S: Final = 1.0
_LONGEST_PAUSE_S: Final = 300.0


@dataclass(frozen=True, slots=True)
class Deletion:
    """How far the deletion of an account is. `removed` counts by service, for those that are done."""

    deletion_id: str
    user_id: str
    begin_time_us: int
    removed: Mapping[str, int]
    failures: int = 0
    finish_time_us: int | None = None

    def pending(self) -> list[str]:
        """The services that still have something to remove."""
        return [service for service in SERVICES if service not in self.removed]

    def pause_s(self) -> float:
        """How long to wait before a service that failed is asked again: longer each time, five minutes at most."""
        return min(_FIRST_PAUSE_S * 2.0 ** min(self.failures, 20), _LONGEST_PAUSE_S)


class DeletionBook(Protocol):
    """Keeps deletions. Each call is one transaction."""

    async def begin(self, deletion: Deletion) -> Deletion | None:
        """Removes the account with all that the user service keeps about the person, and writes the deletion down.

        None where there is no such account. `removed` counts the rows.
        """
        ...

    async def find(self, *, deletion_id: str = "", user_id: str = "") -> Deletion | None:
        """The deletion with this id, or of this person."""
        ...

    async def claim(self, now_us: int, until_us: int) -> Deletion | None:
        """One that is due, for nobody else to take until then."""
        ...

    async def removed(self, deletion_id: str, service: str, count: int, now_us: int) -> Deletion:
        """Writes down that a service is done; the deletion after it, finished with the last."""
        ...

    async def failed(self, deletion_id: str, again_us: int) -> None:
        """Writes down that a service failed, and when to go on."""
        ...

    async def forsaken_guests(self, before_us: int, limit: int) -> list[str]:
        """Guests who were not there since."""
        ...

    async def prune(self, before_us: int) -> int:
        """Forgets deletions that were finished so long ago; how many."""
        ...


class Neighbours(Protocol):
    """What the other services are asked about a person."""

    async def forget(self, service: str, user_id: str, request_id: str) -> int:
        """Has a service remove everything about the person; how much it was. May be repeated.

        Raises:
            VivavoceError: it could not, or not all.
        """
        ...
