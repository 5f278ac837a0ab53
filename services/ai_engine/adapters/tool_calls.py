"""The functions a language model calls, put together from the pieces in which they are streamed."""

import json
from collections.abc import Iterator
from typing import Any, Final

from services.ai_engine.adapters.faults_of_vendors import Faults
from services.ai_engine.domain.roles import ToolCalled, ToolSet

#: Calls in one answer, and letters each may be given; a model that wants more has lost its way.
_MOST: Final = 8
_LONGEST: Final = 8192
#: Tokens an answer may have besides what is spoken where functions may be called.
CALL_TOKENS: Final = 400


class StreamedCalls:
    """The calls of one answer, by the number the vendor gives them."""

    def __init__(self, offered: ToolSet, faults: Faults) -> None:
        self._offered = {tool.name for tool in offered.tools}
        self._faults = faults
        self._calls: dict[int, tuple[str, str]] = {}

    def __bool__(self) -> bool:
        return bool(self._calls)

    def feed(self, number: int, name: str, arguments: str) -> None:
        """Takes the next piece of a call."""
        called, given = self._calls.get(number, ("", ""))
        if len(self._calls) <= _MOST and len(given) <= _LONGEST:
            self._calls[number] = (called + name, given + arguments)

    def called(self) -> Iterator[ToolCalled]:
        """All of them. Raises ProviderError where one is of no function on offer, or is given no JSON object."""
        if len(self._calls) > _MOST:
            raise self._faults.failed(f"called more than {_MOST} functions at once; say it again", "BAD_CALL")
        for name, arguments in self._calls.values():
            if name not in self._offered or len(arguments) > _LONGEST or not _is_object(arguments or "{}"):
                raise self._faults.failed("called a function in a way that can't be carried out", "BAD_CALL")
            yield ToolCalled(name, arguments or "{}")


def schema_of(parameters: str) -> dict[str, Any]:
    """The JSON Schema of what a function takes."""
    # An object, as was checked at the door.
    return json.loads(parameters) if parameters else {"type": "object", "properties": {}}


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False
