"""Keeps what happened in the history service's own tables."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, Text, insert, select, tuple_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from mesh.database import Database, metadata
from mesh.errors import ConflictError
from services.history.domain import Conversation, Happening, Intake, Question, take_in

VERSION_TABLE: Final = "alembic_version_history"


class Base(DeclarativeBase):
    """The tables of the history service; `schema.md` explains each column."""

    metadata = metadata()


class ConversationRow(Base):
    """A conversation, as far as its events tell."""

    __tablename__ = "history_conversations"
    __table_args__ = (Index(None, "user_id", "begin_time_us", "conversation_id"),)

    conversation_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(String(64))
    scenario_id: Mapped[str] = mapped_column(String(64))
    settings: Mapped[bytes] = mapped_column(LargeBinary)
    begin_time_us: Mapped[int] = mapped_column(BigInteger)
    last_time_us: Mapped[int] = mapped_column(BigInteger)
    last_sequence: Mapped[int] = mapped_column(BigInteger)
    turn_count: Mapped[int]
    ended: Mapped[bool]


class EventRow(Base):
    """Something that happened."""

    __tablename__ = "history_events"

    conversation_id: Mapped[str] = mapped_column(
        ForeignKey("history_conversations.conversation_id", ondelete="CASCADE"), primary_key=True
    )
    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    user_id: Mapped[str] = mapped_column(String(64), index=True)
    time_us: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(String(32))
    turn_id: Mapped[str] = mapped_column(String(64))
    reply_id: Mapped[str] = mapped_column(String(64))
    text: Mapped[str] = mapped_column(Text)
    payload: Mapped[bytes] = mapped_column(LargeBinary)


class MemoryStore:
    """`Memory` over a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take_in(self, deliveries: Sequence[Sequence[Happening]]) -> Intake:
        """See `Memory`."""
        return await self._database.commit(lambda session: _take_in(session, deliveries))

    async def conversations(self, question: Question, after: tuple[int, str] | None, limit: int) -> list[Conversation]:
        """See `Memory`."""
        wanted = select(ConversationRow).where(ConversationRow.user_id == question.user_id)
        if question.scenario_id:
            wanted = wanted.where(ConversationRow.scenario_id == question.scenario_id)
        if question.start_us is not None:
            wanted = wanted.where(ConversationRow.begin_time_us >= question.start_us)
        if question.end_us is not None:
            wanted = wanted.where(ConversationRow.begin_time_us < question.end_us)
        place = tuple_(ConversationRow.begin_time_us, ConversationRow.conversation_id)
        if after is not None:
            wanted = wanted.where(place < after)
        latest_first = wanted.order_by(
            ConversationRow.begin_time_us.desc(), ConversationRow.conversation_id.desc()
        ).limit(limit)
        return await self._database.read(lambda session: [_conversation(row) for row in session.scalars(latest_first)])

    async def happenings(self, user_id: str, conversation_id: str, after: int, limit: int) -> list[bytes] | None:
        """See `Memory`."""

        def unit(session: Session) -> list[bytes] | None:
            # PostgreSQL refuses to compare text with what text can't hold.
            if "\0" in conversation_id:
                return None
            owned = select(ConversationRow.last_sequence).where(
                ConversationRow.conversation_id == conversation_id, ConversationRow.user_id == user_id
            )
            if session.scalar(owned) is None:
                return None
            wanted = (
                select(EventRow.payload)
                .where(EventRow.conversation_id == conversation_id, EventRow.sequence > after)
                .order_by(EventRow.sequence)
                .limit(limit)
            )
            return list(session.scalars(wanted))

        return await self._database.read(unit)


def _take_in(session: Session, deliveries: Sequence[Sequence[Happening]]) -> Intake:
    names = {happening.conversation_id for delivery in deliveries for happening in delivery}
    # In one order everywhere, so that two replicas can't wait for each other.
    rows = session.scalars(
        select(ConversationRow)
        .where(ConversationRow.conversation_id.in_(names))
        .order_by(ConversationRow.conversation_id)
        .with_for_update()
    )
    known = {row.conversation_id: _conversation(row) for row in rows}
    intake = take_in(deliveries, known)
    fresh = [asdict(each) for name, each in sorted(intake.changed.items()) if name not in known]
    changed = [asdict(each) for name, each in sorted(intake.changed.items()) if name in known]
    try:
        if fresh:
            session.execute(insert(ConversationRow), fresh)
    except IntegrityError:
        raise ConflictError(
            "Another stream sends the same conversation; send again what was not acknowledged."
        ) from None
    if changed:
        session.execute(update(ConversationRow), changed)
    if intake.added:
        session.execute(insert(EventRow), [_event_columns(happening) for happening in intake.added])
    return intake


def _event_columns(happening: Happening) -> dict[str, Any]:
    return {
        "conversation_id": happening.conversation_id,
        "sequence": happening.sequence,
        "user_id": happening.user_id,
        "time_us": happening.time_us,
        "kind": happening.kind.value,
        "turn_id": happening.turn_id,
        "reply_id": happening.reply_id,
        # PostgreSQL keeps no NUL in text; the payload has what was said, whole.
        "text": happening.text.replace("\0", ""),
        "payload": happening.payload,
    }


def _conversation(row: ConversationRow) -> Conversation:
    return Conversation(
        conversation_id=row.conversation_id,
        user_id=row.user_id,
        scenario_id=row.scenario_id,
        settings=row.settings,
        begin_time_us=row.begin_time_us,
        last_time_us=row.last_time_us,
        last_sequence=row.last_sequence,
        turn_count=row.turn_count,
        ended=row.ended,
    )
