"""Keeps what happened in the history service's own tables."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, func, insert, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from mesh.clock import Clock
from mesh.database import Database
from mesh.errors import ConflictError
from services.history.domain.happenings import Conversation, Happening, Intake, take_in
from services.history.domain.keeping import Question
from services.history.tables import VERSION_TABLE, Base, ConversationRow, EventRow, LearnerRow

__all__ = ["VERSION_TABLE", "Base", "MemoryStore"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
#: Conversations removed in one transaction, so that none takes longer than a database allows a statement.
_FORGOTTEN_AT_ONCE: Final = 50


class MemoryStore:
    """`Memory` over a database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

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

    async def forget(self, user_id: str) -> int:
        """See `Memory`."""
        now_us = to_us(self._clock.wall())
        # First of all nothing more is taken in; then what is there goes, a stretch at a time.
        await self._database.run(lambda session: _mark_forgotten(session, user_id, now_us))
        while await self._database.run(lambda session: _forget_some(session, user_id)):
            pass
        counted = select(LearnerRow.forgotten_events).where(LearnerRow.user_id == user_id)
        return await self._database.read(lambda session: session.scalars(counted).one())


def _mark_forgotten(session: Session, user_id: str, now_us: int) -> None:
    learner = _learners(session, {user_id})[user_id]
    if learner.forget_time_us is None:
        learner.forget_time_us = now_us


def _forget_some(session: Session, user_id: str) -> bool:
    """Removes some conversations of a person; whether there were any."""
    some = list(
        session.scalars(
            select(ConversationRow.conversation_id).where(ConversationRow.user_id == user_id).limit(_FORGOTTEN_AT_ONCE)
        )
    )
    events = select(func.count()).select_from(EventRow).where(EventRow.conversation_id.in_(some))
    removed = session.scalars(events).one()
    session.execute(delete(ConversationRow).where(ConversationRow.conversation_id.in_(some)))
    session.execute(
        update(LearnerRow)
        .where(LearnerRow.user_id == user_id)
        .values(forgotten_events=LearnerRow.forgotten_events + removed)
    )
    return bool(some)


def _learners(session: Session, user_ids: set[str]) -> dict[str, LearnerRow]:
    """The rows of these people, made where there is none, and locked: in one order everywhere, against deadlocks."""
    insert_row = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    rows = [{"user_id": user_id, "forgotten_events": 0} for user_id in sorted(user_ids)]
    session.execute(insert_row(LearnerRow).on_conflict_do_nothing(), rows)
    locked = select(LearnerRow).where(LearnerRow.user_id.in_(user_ids)).order_by(LearnerRow.user_id).with_for_update()
    return {row.user_id: row for row in session.scalars(locked)}


def _take_in(session: Session, deliveries: Sequence[Sequence[Happening]]) -> Intake:
    learners = _learners(session, {happening.user_id for delivery in deliveries for happening in delivery})
    forgotten = {user_id for user_id, row in learners.items() if row.forget_time_us is not None}
    names = {happening.conversation_id for delivery in deliveries for happening in delivery}
    # In one order everywhere, so that two replicas can't wait for each other.
    rows = session.scalars(
        select(ConversationRow)
        .where(ConversationRow.conversation_id.in_(names))
        .order_by(ConversationRow.conversation_id)
        .with_for_update()
    )
    known = {row.conversation_id: _conversation(row) for row in rows}
    intake = take_in(deliveries, known, forgotten)
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


def to_us(time: datetime) -> int:
    """Microseconds since 1970."""
    return (time - _EPOCH) // timedelta(microseconds=1)
