"""Writes all that is kept about a person as files, a piece at a time."""

import json
from collections.abc import AsyncGenerator, Iterator, Sequence
from datetime import UTC, datetime
from typing import Final, TypeVar

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from mesh.database import Database
from services.conversation.tables import ConversationRow, EventRow, HabitRow

Row = TypeVar("Row")

#: The most of a file in one piece, as the contract says.
PIECE_BYTES: Final = 256 * 1024
_CONVERSATIONS: Final = 100
_EVENTS: Final = 200


class Export:
    """One JSON file a conversation, with its events as they are kept, and one of the person's habits."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def files(self, user_id: str) -> AsyncGenerator[tuple[str, bytes], None]:
        """Pieces as path and bytes; those of one file follow each other."""
        habit = await self._database.read(lambda session: session.get(HabitRow, user_id))
        if habit is not None:
            yield "habits.json", json.dumps(_habits(habit), indent=1).encode()
        after = ""
        while page := await self._conversations(user_id, after):
            for row in page:
                path = f"conversations/{row.conversation_id}.json"
                async for text in self._file(row):
                    for piece in _pieces(text.encode()):
                        yield path, piece
            after = page[-1].conversation_id

    async def _file(self, row: ConversationRow) -> AsyncGenerator[str, None]:
        # Begun and ended by hand: a conversation may be longer than should be held at once.
        yield json.dumps(_described(row), ensure_ascii=False, indent=1).removesuffix("\n}") + ',\n "events": ['
        after, separator = 0, "\n  "
        while page := await self._events(row.conversation_id, after):
            yield separator + ",\n  ".join(json.dumps(_event(event), ensure_ascii=False) for event in page)
            after, separator = page[-1].sequence, ",\n  "
        yield "\n ]\n}\n"

    async def _conversations(self, user_id: str, after: str) -> Sequence[ConversationRow]:
        wanted = (
            select(ConversationRow)
            .where(ConversationRow.user_id == user_id, ConversationRow.conversation_id > after)
            .order_by(ConversationRow.conversation_id)
            .limit(_CONVERSATIONS)
        )
        return await self._database.read(lambda session: _loaded(session, wanted))

    async def _events(self, conversation_id: str, after: int) -> Sequence[EventRow]:
        wanted = (
            select(EventRow)
            .where(EventRow.conversation_id == conversation_id, EventRow.sequence > after)
            .order_by(EventRow.sequence)
            .limit(_EVENTS)
        )
        return await self._database.read(lambda session: _loaded(session, wanted))


def _loaded(session: Session, wanted: Select[Row]) -> Sequence[Row]:
    return session.scalars(wanted).all()


def _described(row: ConversationRow) -> dict[str, object]:
    return {
        "conversation_id": row.conversation_id,
        "title": row.title,
        "ended": row.ended,
        "began": _written(row.create_time_us),
        "last_changed": _written(row.update_time_us),
        "settings": json.loads(row.choices),
        "tutor_state": row.tutor_state,
        "summary": row.summary,
        "functions": json.loads(row.tools or "null"),
    }


def _habits(row: HabitRow) -> dict[str, object]:
    return {"usual_pause_ms": row.usual_pause_ms, "last_changed": _written(row.update_time_us)}


def _event(row: EventRow) -> dict[str, object]:
    return {"sequence": row.sequence, "time": _written(row.time_us), row.kind: json.loads(row.payload)}


def _written(time_us: int) -> str:
    return datetime.fromtimestamp(time_us / 1_000_000, UTC).isoformat()


def _pieces(content: bytes) -> Iterator[bytes]:
    for start in range(0, len(content), PIECE_BYTES):
        yield content[start : start + PIECE_BYTES]
