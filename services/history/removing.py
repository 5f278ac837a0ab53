"""Removes conversations and people from the tables, for good."""

from functools import reduce
from operator import or_
from typing import Final

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.orm import Session

from mesh.ids import new_id
from services.history.learners import locked_learners
from services.history.seasons import unpack_from
from services.history.tables import (
    NO_TIME_ZONE,
    NOTHING_PACKED,
    ConversationRow,
    DeletionRow,
    EventRow,
    FactRow,
    LearnerRow,
    QuarterRow,
    ReviewItemRow,
    WordRow,
)

#: Conversations removed in one transaction, so that none takes longer than a database allows a statement.
_FORGOTTEN_AT_ONCE: Final = 50
#: Words removed with one statement.
_WORDS_AT_ONCE: Final = 500


def delete_conversation(session: Session, user_id: str, conversation_id: str, now_us: int) -> str:
    """Removes a conversation of the person's, with all that goes with it and the words it alone held; the receipt."""
    learner = locked_learners(session, {user_id})[user_id]
    if earlier := session.get(DeletionRow, conversation_id):
        return earlier.receipt_id
    receipt_id = new_id("del")
    session.add(
        DeletionRow(
            conversation_id=conversation_id, user_id=learner.user_id, receipt_id=receipt_id, delete_time_us=now_us
        )
    )
    begun = select(func.min(QuarterRow.start_us)).where(QuarterRow.conversation_id == conversation_id)
    if (start_us := session.scalar(begun)) is not None:
        unpack_from(session, learner, start_us)
    session.execute(delete(ConversationRow).where(ConversationRow.conversation_id == conversation_id))
    _drop_words(session, user_id)
    return receipt_id


def mark_forgotten(session: Session, user_id: str, now_us: int) -> None:
    """Has nothing more of a person taken in."""
    learner = locked_learners(session, {user_id})[user_id]
    if learner.forget_time_us is None:
        learner.forget_time_us = now_us
        learner.time_zone = NO_TIME_ZONE


def forget_some(session: Session, user_id: str) -> bool:
    """Removes some of what is kept of a person; whether there may be more."""
    unpack_from(session, locked_learners(session, {user_id})[user_id], NOTHING_PACKED)
    own = select(ConversationRow.conversation_id).where(ConversationRow.user_id == user_id)
    some = list(session.scalars(own.limit(_FORGOTTEN_AT_ONCE)))
    if not some:
        for table in (WordRow, ReviewItemRow, FactRow, DeletionRow):
            session.execute(delete(table).where(table.user_id == user_id))
        return False
    events = select(func.count()).select_from(EventRow).where(EventRow.conversation_id.in_(some))
    removed = session.scalars(events).one()
    session.execute(delete(ConversationRow).where(ConversationRow.conversation_id.in_(some)))
    session.execute(
        update(LearnerRow)
        .where(LearnerRow.user_id == user_id)
        .values(forgotten_events=LearnerRow.forgotten_events + removed, word_count=0, levels=b"")
    )
    return True


def drop_removed_words(session: Session) -> None:
    """SQLite's index of words keeps those of removed lines, marked as removed, until it is merged whole."""
    if session.get_bind().dialect.name == "sqlite":
        session.execute(text("INSERT INTO history_search(history_search) VALUES ('optimize')"))


def _drop_words(session: Session, user_id: str) -> None:
    """Removes words that are in no conversation any more."""
    kept = session.scalars(select(QuarterRow.vocabulary).where(QuarterRow.user_id == user_id))
    known = reduce(or_, (int.from_bytes(vocabulary, "little") for vocabulary in kept), 0)
    numbers = session.scalars(select(WordRow.number).where(WordRow.user_id == user_id))
    gone = [number for number in numbers if not known >> number & 1]
    for start in range(0, len(gone), _WORDS_AT_ONCE):
        some = gone[start : start + _WORDS_AT_ONCE]
        session.execute(delete(WordRow).where(WordRow.user_id == user_id, WordRow.number.in_(some)))
