"""Conversations whose next event history refuses for good: kept in order, passed over, and seen by the operator."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from mesh.clock import Clock
from mesh.database import Database
from services.conversation.domain.sharing import part_of
from services.conversation.tables import EventRow, OutboxRow, SetAsideRow
from services.conversation.times import from_us, to_us

_SHOWN: Final = 1000


@dataclass(frozen=True, slots=True)
class SetAside:
    """A conversation that stopped at an event, and how many events of it wait, that one included."""

    conversation_id: str
    sequence: int
    reason: str
    message: str
    since: datetime
    waiting: int


class SetAsides:
    """What is set aside, for whoever operates the installation."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> list[SetAside]:
        """The oldest first, a thousand at most."""
        waiting = (
            select(func.count())
            .where(OutboxRow.conversation_id == SetAsideRow.conversation_id)
            .correlate(SetAsideRow)
            .scalar_subquery()
        )
        wanted = select(SetAsideRow, waiting).order_by(SetAsideRow.time_us).limit(_SHOWN)

        def unit(session: Session) -> list[SetAside]:
            return [
                SetAside(row.conversation_id, row.sequence, row.reason, row.message, from_us(row.time_us), count)
                for row, count in session.execute(wanted)
            ]

        return await self._database.read(unit)

    async def send_again(self) -> None:
        """Has everything that is set aside sent once more; what is refused still is set aside again."""
        await self._database.run(lambda session: session.execute(delete(SetAsideRow)))


def set_aside(session: Session, conversation_id: str, sequence: int, reason: str, message: str, clock: Clock) -> None:
    """Passes over a conversation from this event on; what is set aside already stays as it is."""
    if session.get(SetAsideRow, conversation_id) is None:
        session.add(
            SetAsideRow(
                conversation_id=conversation_id,
                sequence=sequence,
                reason=reason,
                message=message,
                time_us=to_us(clock.wall()),
            )
        )


def put_back(session: Session, conversation_id: str, first: int, after: int) -> bool:
    """Puts a conversation's events from `first` up to `after` into the outbox again; none where one is not kept."""
    wanted = range(first, after)
    kept = select(EventRow.sequence).where(
        EventRow.conversation_id == conversation_id, EventRow.sequence.between(first, after - 1)
    )
    if len(wanted) != len(session.scalars(kept).all()):
        return False
    waiting = select(OutboxRow.sequence).where(OutboxRow.conversation_id == conversation_id)
    missing = sorted(set(wanted) - set(session.scalars(waiting)))
    part = part_of(conversation_id)
    rows = [{"conversation_id": conversation_id, "sequence": sequence, "part": part} for sequence in missing]
    if rows:
        session.execute(insert(OutboxRow), rows)
    return True
