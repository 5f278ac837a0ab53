"""What a conversation's store has to do; `store.py` does it with tables."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from services.conversation.domain.choices import Choices
from services.conversation.domain.pauses import PauseHabit
from services.conversation.domain.records import Record, TurnTaken
from services.conversation.domain.things import NOTHING_SUMMARISED, Line, Summary
from services.conversation.domain.told import TurnCommitted
from services.conversation.domain.tools import NO_TOOLS, ToolSet


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation as it is kept."""

    id: str
    user_id: str
    title: str
    ended: bool
    choices: Choices
    last_sequence: int
    create_time: datetime
    update_time: datetime


@dataclass(frozen=True, slots=True)
class Continued:
    """What is needed to go on with a conversation: its last lines, oldest first, and the tutor's state.

    `owed` is the turn among them that has no answer: the last, or None. `first_line` lines came before these, and
    `summary` tells of the older ones. `written` are the typed turns that their client may send again, by request id.
    `tools` are the functions that were offered last, which hold for the session they were offered in.
    """

    lines: tuple[Line, ...]
    tutor_state: str
    owed: TurnTaken | None
    summary: Summary = NOTHING_SUMMARISED
    first_line: int = 0
    written: Mapping[str, TurnCommitted] = field(default_factory=dict)
    tools: ToolSet = NO_TOOLS


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event on its way to history."""

    conversation_id: str
    sequence: int
    user_id: str
    time: datetime
    #: None where it can't be read: a later version of the service wrote it.
    record: Record | None


class Conversations(Protocol):
    """The store. Every method may raise UnavailableError or OverloadedError: nothing was done, or it is not known."""

    async def create(
        self, conversation_id: str, user_id: str, title: str, choices: Choices, request_id: str = ""
    ) -> Conversation:
        """Keeps a new conversation, or returns the one that this person made with the same `request_id` this day."""
        ...

    async def get(self, conversation_id: str, user_id: str) -> Conversation:
        """The person's conversation; NotFoundError where there is none."""
        ...

    async def update(
        self, conversation_id: str, user_id: str, *, title: str | None, choices: Choices | None
    ) -> Conversation:
        """Changes what is not None; NotFoundError where there is none."""
        ...

    async def end(self, conversation_id: str, user_id: str) -> Conversation:
        """Ends it for good, once; NotFoundError where there is none."""
        ...

    async def delete(self, conversation_id: str, user_id: str) -> None:
        """Removes it for good, with what history has not taken of it yet; NotFoundError where there is none."""
        ...

    async def continued(self, conversation_id: str) -> Continued:
        """What is needed to go on."""
        ...

    async def append(
        self, conversation_id: str, record: Record, tutor_state: str | None = None, *, again: bool = False
    ) -> int:
        """Keeps a record and its row for history in one transaction, on disk when this returns; its sequence.

        `again`: a call before failed and may have kept it all the same; then it is not kept a second time.
        """
        ...

    async def habit(self, user_id: str) -> PauseHabit:
        """How long the person pauses, as far as is known."""
        ...

    async def keep_habit(self, conversation_id: str, habit: PauseHabit) -> None:
        """Keeps how long the person of this conversation pauses; NotFoundError where there is none."""
        ...

    async def keep_tools(self, conversation_id: str, tools: ToolSet) -> None:
        """Keeps which functions are on offer; NotFoundError where there is no such conversation."""
        ...

    async def summarise(self, conversation_id: str, summary: Summary) -> None:
        """Keeps what its older lines were about; one that stands for fewer lines than the last is not kept."""
        ...

    async def waiting(self, limit: int, parts: frozenset[int]) -> list[Delivery]:
        """Events in these parts of the outbox that history has not taken yet; in order within each conversation."""
        ...

    async def delivered(self, deliveries: list[Delivery]) -> None:
        """History has taken these."""
        ...

    async def set_aside(self, delivery: Delivery, reason: str, message: str) -> None:
        """Has this conversation wait from this event on, which history refuses for good; it is `waiting` no more."""
        ...

    async def put_back(self, conversation_id: str, first: int, after: int) -> bool:
        """Has events from `first` up to `after` sent again, which history has lost; whether all are still known."""
        ...

    async def take_up_again(self, reason: str) -> None:
        """Has what was set aside for this reason sent again."""
        ...

    async def backlog(self) -> int:
        """Number of events that history has not taken yet."""
        ...
