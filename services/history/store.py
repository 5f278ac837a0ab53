"""Keeps what happened in the history service's own tables."""

from collections.abc import Sequence
from datetime import tzinfo

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from mesh.clock import Clock
from mesh.database import Database
from services.history.counting import Level, recount
from services.history.domain.columns import Columns
from services.history.domain.happenings import Conversation, Happening, Intake
from services.history.domain.keeping import Hunt, Question
from services.history.removing import delete_conversation, drop_removed_words, forget_some, mark_forgotten
from services.history.searching import conversations_with, found_payloads
from services.history.seasons import counted_columns, is_to_pack, pack_next
from services.history.tables import (
    NO_TIME_ZONE,
    VERSION_TABLE,
    Base,
    ConversationRow,
    DeletionRow,
    EventRow,
    LearnerRow,
)
from services.history.taking_in import conversation_of, take_in_session
from services.history.times import to_us

__all__ = ["VERSION_TABLE", "Base", "MemoryStore"]


class MemoryStore:
    """`Memory` over a database."""

    def __init__(self, database: Database, clock: Clock, level: Level) -> None:
        self._database = database
        self._clock = clock
        self._level = level

    async def take_in(self, deliveries: Sequence[Sequence[Happening]]) -> Intake:
        """See `Memory`."""
        return await self._database.commit(lambda session: take_in_session(session, deliveries, self._level))

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

        def unit(session: Session) -> list[Conversation]:
            asked = latest_first
            if question.phrases:
                holding = conversations_with(session, question.user_id, question.phrases)
                asked = asked.where(ConversationRow.conversation_id.in_(holding))
            return [conversation_of(row) for row in session.scalars(asked)]

        return await self._database.read(unit)

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

    async def find(self, hunt: Hunt, offset: int, limit: int) -> list[bytes]:
        """See `Memory`."""
        return await self._database.read(lambda session: found_payloads(session, hunt, offset, limit))

    async def conversation(self, user_id: str, conversation_id: str) -> Conversation | None:
        """See `Memory`."""

        def unit(session: Session) -> Conversation | None:
            row = None if "\0" in conversation_id else session.get(ConversationRow, conversation_id)
            return conversation_of(row) if row and row.user_id == user_id else None

        return await self._database.read(unit)

    async def deletion(self, user_id: str, conversation_id: str) -> str | None:
        """See `Memory`."""

        def unit(session: Session) -> str | None:
            row = None if "\0" in conversation_id else session.get(DeletionRow, conversation_id)
            return row.receipt_id if row and row.user_id == user_id else None

        return await self._database.read(unit)

    async def delete(self, user_id: str, conversation_id: str) -> str:
        """See `Memory`."""
        now_us = to_us(self._clock.wall())
        receipt_id = await self._database.run(
            lambda session: delete_conversation(session, user_id, conversation_id, now_us)
        )
        await self._database.run(drop_removed_words)
        await self._pack(user_id, now_us)
        return receipt_id

    async def counted(self, user_id: str, days_in: tzinfo | None = None) -> tuple[Columns, bytes]:
        """See `Memory`."""
        now_us, time_zone = to_us(self._clock.wall()), str(days_in) if days_in else NO_TIME_ZONE

        def packed(session: Session) -> tuple[Columns, bytes] | None:
            to_pack = is_to_pack(session, user_id, now_us, time_zone)
            return None if to_pack else counted_columns(session, user_id, time_zone)

        if (found := await self._database.read(packed)) is not None:
            return found
        await self._pack(user_id, now_us, time_zone)
        return await self._database.read(lambda session: counted_columns(session, user_id, time_zone))

    async def catch_up(self) -> int:
        """See `Memory`."""
        now_us = to_us(self._clock.wall())
        number = 0
        learners: set[str] = set()
        while (user_id := await self._database.run(self._count_one)) is not None:
            learners.add(user_id)
            number += 1
        for user_id in sorted(learners):
            await self._pack(user_id, now_us)
        return number

    async def _pack(self, user_id: str, now_us: int, time_zone: str = NO_TIME_ZONE) -> None:
        """Packs what is over, a season in a transaction."""
        while await self._database.run(lambda session: pack_next(session, user_id, now_us, time_zone)):
            pass

    def _count_one(self, session: Session) -> str | None:
        """Counts a conversation that is not counted yet; whose it is, or None where there was none."""
        row = session.scalars(
            select(ConversationRow).where(ConversationRow.counted.is_(False)).limit(1).with_for_update()
        ).one_or_none()
        if row is None:
            return None
        recount(session, row, self._level)
        return row.user_id

    async def forget(self, user_id: str) -> int:
        """See `Memory`."""
        now_us = to_us(self._clock.wall())
        # First of all nothing more is taken in; then what is there goes, a stretch at a time.
        await self._database.run(lambda session: mark_forgotten(session, user_id, now_us))
        while await self._database.run(lambda session: forget_some(session, user_id)):
            pass
        await self._database.run(drop_removed_words)
        counted = select(LearnerRow.forgotten_events).where(LearnerRow.user_id == user_id)
        return await self._database.read(lambda session: session.scalars(counted).one())
