"""What the memory has to do; `store.py` does it with tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Protocol

from mesh.errors import InvalidFieldError
from services.history.domain.columns import Columns
from services.history.domain.happenings import Conversation, Happening, Intake
from services.history.domain.progress import check_range


@dataclass(frozen=True, slots=True)
class Question:
    """Which conversations of a person are asked for. Times are when a conversation began, in microseconds."""

    user_id: str
    scenario_id: str = ""
    start_us: int | None = None
    end_us: int | None = None
    #: Only those in which somebody said all of it in one line.
    phrases: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuses a range that is upside down, and an id that no role-play can have."""
        if "\0" in self.scenario_id:
            raise InvalidFieldError("scenario_id is no id; list the scenarios to find one.", field="scenario_id")
        check_range(self.start_us, self.end_us)


@dataclass(frozen=True, slots=True)
class Hunt:
    """Which lines of a person are searched for. Times are when they were said, in microseconds."""

    user_id: str
    phrases: tuple[str, ...]
    start_us: int | None = None
    end_us: int | None = None

    def __post_init__(self) -> None:
        """Refuses a range that is upside down."""
        check_range(self.start_us, self.end_us)


class Memory(Protocol):
    """Keeps what happened."""

    async def take_in(self, deliveries: Sequence[Sequence[Happening]]) -> Intake:
        """Takes deliveries in and returns once they are on disk. Those after a refused one are not looked at.

        Raises:
            OverloadedError: too much waits for the disk; nothing was stored.
        """
        ...

    async def conversations(self, question: Question, after: tuple[int, str] | None, limit: int) -> list[Conversation]:
        """Those asked for, latest first, after the one that began at that time with that id."""
        ...

    async def happenings(self, user_id: str, conversation_id: str, after: int, limit: int) -> list[bytes] | None:
        """The payloads of a conversation of the person's after that sequence, in order; None where there is none."""
        ...

    async def find(self, hunt: Hunt, offset: int, limit: int) -> list[bytes]:
        """The payloads of the turns and replies that hold all of it, best first, after the first `offset`."""
        ...

    async def conversation(self, user_id: str, conversation_id: str) -> Conversation | None:
        """A conversation of the person's; None where there is none."""
        ...

    async def deletion(self, user_id: str, conversation_id: str) -> str | None:
        """The receipt of a conversation the person deleted; None where they did not."""
        ...

    async def delete(self, user_id: str, conversation_id: str) -> str:
        """Removes a conversation of the person's for good, and what was drawn from it; the receipt."""
        ...

    async def counted(self, user_id: str, days_in: tzinfo | None = None) -> tuple[Columns, bytes]:
        """All that was counted of a person, in order of time; and the level of each of their words, by number.

        Where days in a time zone are enough, as much as possible comes by day, which takes less time.
        """
        ...

    async def catch_up(self) -> int:
        """Counts conversations from before anything was counted; how many there were."""
        ...

    async def forget(self, user_id: str) -> int:
        """Removes all that is kept of a person, for good: what comes later is not kept. The number of events removed.

        Repeated, it goes on where it was stopped, and returns the same number.
        """
        ...
