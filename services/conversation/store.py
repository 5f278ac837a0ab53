"""Keeps conversations, their events and the outbox in the service's own tables."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final, TypeVar

from sqlalchemy import Select, bindparam, delete, func, insert, select, tuple_, update
from sqlalchemy.orm import Session

from mesh.clock import Clock
from mesh.database import Database
from mesh.errors import NotFoundError
from mesh.telemetry import record_outbox
from services.conversation.domain.choices import Choices
from services.conversation.domain.keeping import Continued, Conversation, Delivery
from services.conversation.domain.pauses import PauseHabit
from services.conversation.domain.records import (
    ConversationBegan,
    ConversationEnded,
    Record,
    ReplyGiven,
    TurnTaken,
)
from services.conversation.domain.sharing import part_of
from services.conversation.domain.things import Line, Speaker, Summary
from services.conversation.domain.told import TurnCommitted
from services.conversation.domain.tools import ToolSet
from services.conversation.forgetting import refuse_forgotten
from services.conversation.payloads import (
    KINDS,
    read_choices,
    read_record,
    read_tools,
    write_choices,
    write_record,
    write_tools,
)
from services.conversation.set_aside import put_back, set_aside
from services.conversation.tables import (
    VERSION_TABLE,
    Base,
    ConversationRow,
    EventRow,
    HabitRow,
    OutboxRow,
    SetAsideRow,
)
from services.conversation.times import from_us, to_us

__all__ = ["VERSION_TABLE", "Base", "ConversationStore"]

T = TypeVar("T")

_LINES: Final = 80
#: Of a conversation that is set aside nothing is sent.
_IS_SENT: Final = OutboxRow.conversation_id.not_in(select(SetAsideRow.conversation_id))
_SAME_REQUEST: Final = timedelta(days=1)
# Most of what is ever stored is stored by these: past the session, in half the time.
_NEXT: Final = (
    update(ConversationRow)
    .where(ConversationRow.conversation_id == bindparam("of"))
    .values(last_sequence=ConversationRow.last_sequence + 1)
    .returning(ConversationRow.last_sequence)
)
_ADD_EVENT: Final = insert(EventRow)
_ADD_TO_OUTBOX: Final = insert(OutboxRow)


class ConversationStore:
    """`Conversations` over a database. `on_append` is called, on the loop, when there is something for history."""

    def __init__(self, database: Database, clock: Clock, on_append: Callable[[], None]) -> None:
        self._database = database
        self._clock = clock
        self._on_append = on_append

    async def create(
        self, conversation_id: str, user_id: str, title: str, choices: Choices, request_id: str = ""
    ) -> Conversation:
        """See `Conversations`."""
        now = self._clock.wall()

        def unit(session: Session) -> Conversation:
            if request_id and (earlier := _of_request(session, user_id, request_id, now)):
                return _conversation(earlier)
            row = ConversationRow(
                conversation_id=conversation_id,
                user_id=user_id,
                title=title,
                ended=False,
                choices=write_choices(choices),
                tutor_state="",
                summary="",
                summary_lines=0,
                tools="",
                last_sequence=0,
                create_time_us=to_us(now),
                update_time_us=to_us(now),
                request_id=request_id or None,
            )
            refuse_forgotten(session, user_id)
            session.add(row)
            session.flush()
            _append(session, conversation_id, ConversationBegan(choices), now)
            session.refresh(row)
            return _conversation(row)

        return await self._commit(unit)

    async def get(self, conversation_id: str, user_id: str) -> Conversation:
        """See `Conversations`."""
        return await self._database.read(
            lambda session: _conversation(_row(session, conversation_id, user_id, to_change=False))
        )

    async def update(
        self, conversation_id: str, user_id: str, *, title: str | None, choices: Choices | None
    ) -> Conversation:
        """See `Conversations`."""
        now = self._clock.wall()

        def unit(session: Session) -> Conversation:
            row = _row(session, conversation_id, user_id)
            if title is not None:
                row.title = title
            if choices is not None:
                row.choices = write_choices(choices)
            row.update_time_us = to_us(now)
            return _conversation(row)

        return await self._commit(unit)

    async def end(self, conversation_id: str, user_id: str) -> Conversation:
        """See `Conversations`."""
        now = self._clock.wall()

        def unit(session: Session) -> Conversation:
            row = _row(session, conversation_id, user_id)
            if not row.ended:
                _append(session, conversation_id, ConversationEnded(), now)
                session.refresh(row)
            return _conversation(row)

        return await self._commit(unit)

    async def delete(self, conversation_id: str, user_id: str) -> None:
        """See `Conversations`."""

        def unit(session: Session) -> None:
            session.delete(_row(session, conversation_id, user_id))

        await self._database.commit(unit)

    async def continued(self, conversation_id: str) -> Continued:
        """See `Conversations`."""
        said = [KINDS[TurnTaken], KINDS[ReplyGiven]]

        def unit(session: Session) -> Continued:
            latest = session.scalars(
                select(EventRow)
                .where(EventRow.conversation_id == conversation_id, EventRow.kind.in_(said))
                .order_by(EventRow.sequence.desc())
                .limit(_LINES)
            ).all()
            records = [read_record(row.kind, row.payload) for row in reversed(latest)]
            row = session.scalars(
                select(ConversationRow).where(ConversationRow.conversation_id == conversation_id)
            ).one()
            count = session.scalars(
                select(func.count())
                .select_from(EventRow)
                .where(EventRow.conversation_id == conversation_id, EventRow.kind.in_(said))
            ).one()
            last = records[-1] if records else None
            written = {
                record.request_id: TurnCommitted(record.turn_id, record.revision, event.sequence, record.text, True)
                for event, record in zip(reversed(latest), records, strict=True)
                if isinstance(record, TurnTaken) and record.request_id
            }
            return Continued(
                tuple(map(_line, records)),
                row.tutor_state,
                last if isinstance(last, TurnTaken) else None,
                Summary(row.summary, row.summary_lines),
                count - len(records),
                written,
                read_tools(row.tools),
            )

        return await self._database.read(unit)

    async def append(
        self, conversation_id: str, record: Record, tutor_state: str | None = None, *, again: bool = False
    ) -> int:
        """See `Conversations`."""
        now = self._clock.wall()

        def unit(session: Session) -> int:
            if again and (sequence := _kept_before(session, conversation_id, record)) is not None:
                return sequence
            return _append(session, conversation_id, record, now, tutor_state)

        return await self._commit(unit)

    async def habit(self, user_id: str) -> PauseHabit:
        """See `Conversations`."""

        def unit(session: Session) -> PauseHabit:
            row = session.get(HabitRow, user_id)
            return PauseHabit(row.usual_pause_ms / 1000) if row else PauseHabit()

        return await self._database.read(unit)

    async def keep_habit(self, conversation_id: str, habit: PauseHabit) -> None:
        """See `Conversations`."""
        now_us = to_us(self._clock.wall())

        def unit(session: Session) -> None:
            user_id = _row(session, conversation_id).user_id
            refuse_forgotten(session, user_id)
            pause_ms = round(habit.usual_s * 1000)
            session.merge(HabitRow(user_id=user_id, usual_pause_ms=pause_ms, update_time_us=now_us))

        await self._database.commit(unit)

    async def keep_tools(self, conversation_id: str, tools: ToolSet) -> None:
        """See `Conversations`."""

        def unit(session: Session) -> None:
            _row(session, conversation_id).tools = write_tools(tools)

        await self._database.commit(unit)

    async def summarise(self, conversation_id: str, summary: Summary) -> None:
        """See `Conversations`."""

        def unit(session: Session) -> None:
            row = _row(session, conversation_id)
            if summary.line_count > row.summary_lines:
                row.summary, row.summary_lines = summary.text, summary.line_count

        await self._database.commit(unit)

    async def waiting(self, limit: int, parts: frozenset[int]) -> list[Delivery]:
        """See `Conversations`."""
        oldest = _oldest(limit, parts)

        def unit(session: Session) -> list[Delivery]:
            return [
                Delivery(
                    event.conversation_id,
                    event.sequence,
                    user_id,
                    from_us(event.time_us),
                    _readable(event),
                )
                for event, user_id in session.execute(oldest)
            ]

        return await self._database.read(unit)

    async def delivered(self, deliveries: list[Delivery]) -> None:
        """See `Conversations`."""
        taken = [(each.conversation_id, each.sequence) for each in deliveries]

        def unit(session: Session) -> None:
            session.execute(delete(OutboxRow).where(tuple_(OutboxRow.conversation_id, OutboxRow.sequence).in_(taken)))

        await self._database.commit(unit)

    async def set_aside(self, delivery: Delivery, reason: str, message: str) -> None:
        """See `Conversations`."""

        def unit(session: Session) -> None:
            set_aside(session, delivery.conversation_id, delivery.sequence, reason, message, self._clock)

        await self._database.commit(unit)

    async def put_back(self, conversation_id: str, first: int, after: int) -> bool:
        """See `Conversations`."""
        return await self._database.commit(lambda session: put_back(session, conversation_id, first, after))

    async def take_up_again(self, reason: str) -> None:
        """See `Conversations`."""

        def unit(session: Session) -> None:
            session.execute(delete(SetAsideRow).where(SetAsideRow.reason == reason))

        await self._database.commit(unit)

    async def backlog(self) -> int:
        """See `Conversations`."""
        waiting = await self._database.read(
            lambda session: session.scalars(select(func.count()).select_from(OutboxRow).where(_IS_SENT)).one()
        )
        record_outbox(waiting)
        return waiting

    async def _commit(self, unit: Callable[[Session], T]) -> T:
        kept = await self._database.commit(unit)
        self._on_append()
        return kept


def _row(
    session: Session, conversation_id: str, user_id: str | None = None, *, to_change: bool = True
) -> ConversationRow:
    wanted = select(ConversationRow).where(ConversationRow.conversation_id == conversation_id.replace("\0", ""))
    row = session.scalars(wanted.with_for_update() if to_change else wanted).one_or_none()
    if row is None or (user_id is not None and row.user_id != user_id):
        raise _not_found(conversation_id)
    return row


def _not_found(conversation_id: str) -> NotFoundError:
    return NotFoundError(
        "There is no such conversation; look at the list of yours.", metadata={"conversation_id": conversation_id}
    )


def _kept_before(session: Session, conversation_id: str, record: Record) -> int | None:
    _row(session, conversation_id)  # Whoever still keeps it is waited for.
    same = (EventRow.kind == KINDS[type(record)]) & (EventRow.payload == write_record(record))
    return session.scalar(select(func.max(EventRow.sequence)).where(EventRow.conversation_id == conversation_id, same))


def _append(
    session: Session, conversation_id: str, record: Record, now: datetime, tutor_state: str | None = None
) -> int:
    changes: dict[str, object] = {"update_time_us": to_us(now)}
    if isinstance(record, ConversationEnded):
        changes["ended"] = True
    if tutor_state is not None:
        changes["tutor_state"] = tutor_state
    connection = session.connection()
    sequence = connection.execute(_NEXT, {"of": conversation_id, **changes}).scalar_one_or_none()
    if sequence is None:
        raise _not_found(conversation_id)
    place = {"conversation_id": conversation_id, "sequence": sequence}
    event = {**place, "time_us": to_us(now), "kind": KINDS[type(record)], "payload": write_record(record)}
    connection.execute(_ADD_EVENT, event)
    connection.execute(_ADD_TO_OUTBOX, {**place, "part": part_of(conversation_id)})
    return sequence


def _readable(row: EventRow) -> Record | None:
    try:
        return read_record(row.kind, row.payload)
    except (ValueError, TypeError, KeyError):
        return None  # Of a kind, or with fields, that this version does not know.


def _of_request(session: Session, user_id: str, request_id: str, now: datetime) -> ConversationRow | None:
    same = select(ConversationRow).where(ConversationRow.user_id == user_id, ConversationRow.request_id == request_id)
    row = session.scalars(same).one_or_none()
    if row is None or from_us(row.create_time_us) > now - _SAME_REQUEST:
        return row
    # A day later the same request id means another conversation.
    session.execute(
        update(ConversationRow).where(ConversationRow.conversation_id == row.conversation_id).values(request_id=None)
    )
    return None


def _conversation(row: ConversationRow) -> Conversation:
    return Conversation(
        id=row.conversation_id,
        user_id=row.user_id,
        title=row.title,
        ended=row.ended,
        choices=read_choices(row.choices),
        last_sequence=row.last_sequence,
        create_time=from_us(row.create_time_us),
        update_time=from_us(row.update_time_us),
    )


def _line(record: Record) -> Line:
    match record:
        case TurnTaken():
            return Line(Speaker.LEARNER, record.text)
        case ReplyGiven():
            return Line(Speaker.TUTOR, record.heard_text)
        case _:
            raise AssertionError("only turns and replies are lines")


@lru_cache(64)
def _oldest(limit: int, parts: frozenset[int]) -> Select[EventRow, str]:
    """Made once for each set of parts: it is asked many times a second, and making it takes longer than asking it.

    Order counts within a conversation; nothing is promised between conversations.
    """
    return (
        select(EventRow, ConversationRow.user_id)
        .select_from(OutboxRow)
        .join(
            EventRow,
            (EventRow.conversation_id == OutboxRow.conversation_id) & (EventRow.sequence == OutboxRow.sequence),
        )
        .join(ConversationRow, ConversationRow.conversation_id == OutboxRow.conversation_id)
        .where(OutboxRow.part.in_(parts), _IS_SENT)
        .order_by(OutboxRow.conversation_id, OutboxRow.sequence)
        .limit(limit)
    )
