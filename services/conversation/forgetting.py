"""Removes all that is kept about a person, and sees to it that nothing comes back."""

from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from mesh.clock import Clock
from mesh.database import Database
from mesh.errors import NotAllowedError
from mesh.named_locks import hold
from services.conversation.tables import ConversationRow, ForgottenRow, HabitRow

#: Conversations removed in one transaction: a long one would keep everybody else from the disk.
_TOGETHER: Final = 100


class Forgetting:
    """Two steps: `begin` lets nothing new in, `remove` takes away what is there. Both may be repeated."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def begin(self, user_id: str, request_id: str) -> None:
        """From now on nothing is kept about the person; who already creates something is waited for."""
        now_us = int(self._clock.wall().timestamp() * 1_000_000)

        def unit(session: Session) -> None:
            hold(session, _lock(user_id))
            row = session.get(ForgottenRow, user_id)
            if row is None or row.request_id != request_id:
                fresh = ForgottenRow(
                    user_id=user_id, request_id=request_id, conversation_count=0, forget_time_us=now_us
                )
                session.merge(fresh)

        await self._database.run(unit)

    async def remove(self, user_id: str) -> int:
        """Removes what is there, events and outbox with it; the conversations removed since `begin`."""
        while await self._database.run(lambda session: _remove_some(session, user_id)):
            pass
        removed = select(ForgottenRow.conversation_count).where(ForgottenRow.user_id == user_id)
        return await self._database.read(lambda session: session.scalars(removed).one())


def refuse_forgotten(session: Session, user_id: str) -> None:
    """Keeps a transaction from adding something of a person who is forgotten, or is being.

    Raises:
        NotAllowedError: they are.
    """
    hold(session, _lock(user_id), shared=True)
    if session.get(ForgottenRow, user_id) is not None:
        raise NotAllowedError("This account was deleted; nothing can be kept for it any more.")


def _remove_some(session: Session, user_id: str) -> int:
    session.execute(delete(HabitRow).where(HabitRow.user_id == user_id))
    own = select(ConversationRow.conversation_id).where(ConversationRow.user_id == user_id).limit(_TOGETHER)
    some = session.scalars(own).all()
    session.execute(delete(ConversationRow).where(ConversationRow.conversation_id.in_(some)))
    session.get_one(ForgottenRow, user_id, with_for_update=True).conversation_count += len(some)
    return len(some)


def _lock(user_id: str) -> str:
    return f"conversation forgets {user_id}"
