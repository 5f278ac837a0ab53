"""The functions of a client that the tutor may have carried out: which, what was called, and what came of it."""

from collections import OrderedDict
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final

#: Calls that are waited for, and answers the tutor has not spoken of; the oldest are given up.
_MOST: Final = 16
#: After so many answers without a word the tutor speaks, whatever else it would like to call.
_WITHOUT_A_WORD: Final = 8


class ToolChoice(IntEnum):
    """Whether functions are called; the numbers are the contract's."""

    AUTO = 0
    NONE = 1
    REQUIRED = 2


@dataclass(frozen=True, slots=True)
class Tool:
    """A function; `parameters` is the JSON Schema of what it takes."""

    name: str
    description: str
    parameters: str


@dataclass(frozen=True, slots=True)
class ToolSet:
    """The functions that may be called; `only` is the one to call where one has to be, empty: any."""

    tools: tuple[Tool, ...] = ()
    choice: ToolChoice = ToolChoice.AUTO
    only: str = ""


NO_TOOLS: Final = ToolSet()


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call, with the JSON it gives."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ToolUse:
    """A call and what came of it."""

    call: ToolCall
    output: str


class Tools:
    """What a session knows of them."""

    def __init__(self, offered: ToolSet) -> None:
        self.offered = offered
        #: For the next reply, in place of those.
        self.once: ToolSet | None = None
        #: What came of calls and was not spoken of yet, and the turn of the last of them with its revision.
        self.uses: list[ToolUse] = []
        self.turn: tuple[str, int] = ("", 0)
        #: Whether the tutor is to speak of it as soon as nobody else speaks.
        self.due = False
        self._open: OrderedDict[str, ToolCall] = OrderedDict()

    @property
    def awaited(self) -> bool:
        """Whether the client carries something out."""
        return bool(self._open)

    def for_reply(self) -> ToolSet:
        """The functions for the next reply that is asked for."""
        offered, self.once = self.once or self.offered, None
        return replace(offered, choice=ToolChoice.NONE) if len(self.uses) >= _WITHOUT_A_WORD else offered

    def called(self, call_id: str, call: ToolCall, turn_id: str, revision: int) -> None:
        """The client is told to carry it out."""
        self._open[call_id] = call
        self.turn = (turn_id, revision)
        while len(self._open) > _MOST:
            self._open.popitem(last=False)

    def answered(self, call_id: str, output: str) -> bool:
        """What came of a call; False where it is not waited for."""
        call = self._open.pop(call_id, None)
        if call is not None:
            self.uses = [*self.uses, ToolUse(call, output)][-_MOST:]
        return call is not None

    def spoken_of(self, uses: tuple[ToolUse, ...]) -> None:
        """The learner has heard what the tutor made of these."""
        self.uses = [use for use in self.uses if all(use is not told for told in uses)]
