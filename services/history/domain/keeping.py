"""What the memory has to do; `store.py` does it with tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from mesh.errors import InvalidFieldError
from services.history.domain.happenings import Conversation, Happening, Intake
from services.history.domain.progress import Tally


@dataclass(frozen=True, slots=True)
class Question:
    """Which conversations of a person are asked for. Times are when a conversation began, in microseconds."""

    user_id: str
    scenario_id: str = ""
    start_us: int | None = None
    end_us: int | None = None

    def __post_init__(self) -> None:
        """Refuses a range that is upside down, and an id that no role-play can have."""
        if "\0" in self.scenario_id:
            raise InvalidFieldError("scenario_id is no id; list the scenarios to find one.", field="scenario_id")
        if self.start_us is not None and self.end_us is not None and self.end_us < self.start_us:
            raise InvalidFieldError("end_time is before start_time; exchange them.", field="end_time")


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

    async def tallies(self, user_id: str) -> tuple[list[Tally], list[tuple[int, int]]]:
        """All that was counted of a person, in order of time; and number and level of each of their words."""
        ...

    async def catch_up(self) -> int:
        """Counts conversations from before anything was counted; how many there were."""
        ...

    async def forget(self, user_id: str) -> int:
        """Removes all that is kept of a person, for good: what comes later is not kept. The number of events removed.

        Repeated, it goes on where it was stopped, and returns the same number.
        """
        ...
