"""Everything kept about a person, as files in pieces."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from mesh.workers import Workers
from services.history.domain.happenings import Conversation
from services.history.domain.keeping import Memory, Question
from services.history.files import conversation_json
from services.history.wire import summary_pb

#: Bytes of one piece at most: what the contract allows.
_PIECE: Final = 256 * 1024
_CONVERSATIONS: Final = 100
_EVENTS: Final = 200


@dataclass(frozen=True, slots=True)
class Piece:
    """The next bytes of the file at `path`."""

    path: str
    data: bytes


class Exports:
    """Writes files from the memory; what costs time is done by `workers`, off the loop."""

    def __init__(self, memory: Memory, workers: Workers) -> None:
        self._memory = memory
        self._workers = workers

    async def of_person(self, user_id: str) -> AsyncGenerator[Piece, None]:
        """A file for each conversation, latest first."""
        after: tuple[int, str] | None = None
        while page := await self._memory.conversations(Question(user_id), after, _CONVERSATIONS):
            for conversation in page:
                path = f"conversations/{conversation.conversation_id}.json"
                async with aclosing(self.conversation_json(conversation)) as content:
                    async for data in content:
                        yield Piece(path, data)
            after = (page[-1].begin_time_us, page[-1].conversation_id)

    async def conversation_json(self, conversation: Conversation) -> AsyncGenerator[bytes, None]:
        """A conversation as JSON, in pieces of at most 256 KiB."""
        yield conversation_json.beginning(summary_pb(conversation))
        after = 0
        while payloads := await self._memory.happenings(
            conversation.user_id, conversation.conversation_id, after, _EVENTS
        ):
            written = await self._workers.run(_events, payloads, after == 0)
            for start in range(0, len(written), _PIECE):
                yield written[start : start + _PIECE]
            after += len(payloads)
        yield conversation_json.END


def _events(payloads: list[bytes], first: bool) -> bytes:
    return conversation_json.events(payloads, first=first)
