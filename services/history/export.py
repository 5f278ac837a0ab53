"""Everything kept about a person, as files in pieces."""

import json
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from vivavoce.history.v1 import history_pb2 as history_pb

from mesh.errors import InvalidFieldError
from mesh.workers import Workers
from services.history.domain.happenings import Conversation
from services.history.domain.keeping import Memory, Question
from services.history.files import conversation_anki, conversation_csv, conversation_json, conversation_vtt
from services.history.lessons import Lessons
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

    def __init__(self, memory: Memory, lessons: Lessons, workers: Workers) -> None:
        self._memory = memory
        self._lessons = lessons
        self._workers = workers

    async def of_person(self, user_id: str) -> AsyncGenerator[Piece, None]:
        """A file for each conversation, latest first, one for the notebook, and one for the facts."""
        after: tuple[int, str] | None = None
        while page := await self._memory.conversations(Question(user_id), after, _CONVERSATIONS):
            for conversation in page:
                path = f"conversations/{conversation.conversation_id}.json"
                async with aclosing(self.conversation_json(conversation)) as content:
                    async for data in content:
                        yield Piece(path, data)
            after = (page[-1].begin_time_us, page[-1].conversation_id)
        items, facts = await self._lessons.all_of(user_id)
        if items:
            yield Piece("notebook.txt", conversation_anki.BEGINNING)
            for data in _pieces(conversation_anki.cards(items)):
                yield Piece("notebook.txt", data)
        if facts:
            written = json.dumps([{"text": fact.text, "accepted": fact.accepted} for fact in facts], ensure_ascii=False)
            for data in _pieces(written.encode()):
                yield Piece("facts.json", data)

    async def conversation(self, conversation: Conversation, file_format: str) -> AsyncGenerator[bytes, None]:
        """A conversation as a file of that format, in pieces of at most 256 KiB."""
        match file_format:
            case "json":
                pieces = self.conversation_json(conversation)
            case "vtt":
                pieces = self._written(conversation, conversation_vtt.BEGINNING, _cues)
            case "csv":
                pieces = self._written(conversation, conversation_csv.BEGINNING, _rows)
            case "anki":
                pieces = self._cards(conversation)
            case _:
                raise InvalidFieldError("format is json, vtt, csv or anki.", field="format")
        async with aclosing(pieces):
            async for piece in pieces:
                yield piece

    async def _cards(self, conversation: Conversation) -> AsyncGenerator[bytes, None]:
        yield conversation_anki.BEGINNING
        items = await self._lessons.of_conversation(conversation.user_id, conversation.conversation_id)
        for piece in _pieces(conversation_anki.cards(items)):
            yield piece

    async def _written(
        self, conversation: Conversation, beginning: bytes, write: Callable[[list[bytes], int], bytes]
    ) -> AsyncGenerator[bytes, None]:
        yield beginning
        after = 0
        while payloads := await self._memory.happenings(
            conversation.user_id, conversation.conversation_id, after, _EVENTS
        ):
            for piece in _pieces(await self._workers.run(write, payloads, conversation.begin_time_us)):
                yield piece
            after += len(payloads)

    async def conversation_json(self, conversation: Conversation) -> AsyncGenerator[bytes, None]:
        """A conversation as JSON, in pieces of at most 256 KiB."""
        yield conversation_json.beginning(summary_pb(conversation))
        after = 0
        while payloads := await self._memory.happenings(
            conversation.user_id, conversation.conversation_id, after, _EVENTS
        ):
            for piece in _pieces(await self._workers.run(_events, payloads, after == 0)):
                yield piece
            after += len(payloads)
        yield conversation_json.END


def _pieces(written: bytes) -> Iterator[bytes]:
    return (written[start : start + _PIECE] for start in range(0, len(written), _PIECE))


def _cues(payloads: list[bytes], begin_us: int) -> bytes:
    return conversation_vtt.events([history_pb.HistoryEvent.FromString(each) for each in payloads], begin_us)


def _rows(payloads: list[bytes], _: int) -> bytes:
    return conversation_csv.events([history_pb.HistoryEvent.FromString(each) for each in payloads])


def _events(payloads: list[bytes], first: bool) -> bytes:
    return conversation_json.events(payloads, first=first)
