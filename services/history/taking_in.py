"""Stores deliveries of events and what is counted of them, within one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from mesh.errors import ConflictError
from services.history.counting import Level, add_counts
from services.history.domain.happenings import Conversation, Happening, Intake, take_in
from services.history.learners import locked_learners
from services.history.seasons import pack_along
from services.history.tables import ConversationRow, DeletionRow, EventRow, LearnerRow


def take_in_session(session: Session, deliveries: Sequence[Sequence[Happening]], level: Level) -> Intake:
    """Stores what the rules take, and adds it to what is counted.

    Raises:
        ConflictError: another stream brings the same new conversation for someone else.
    """
    learners = locked_learners(session, {each.user_id for delivery in deliveries for each in delivery})
    forgotten = {user_id for user_id, row in learners.items() if row.forget_time_us is not None}
    names = {each.conversation_id for delivery in deliveries for each in delivery}
    known = _known(session, names)
    intake = take_in(deliveries, known, forgotten, _deleted(session, names - known.keys()))
    _store_conversations(session, intake.changed, known)
    if intake.added:
        # Past the session: it takes as long for many rows as the database does.
        session.connection().execute(insert(EventRow), [_event_columns(happening) for happening in intake.added])
        heard_until = {name: conversation.heard_until_us for name, conversation in known.items()}
        add_counts(session, intake.added, intake.changed, heard_until, learners, level)
        _pack(session, intake.added, learners)
    return intake


def conversation_of(row: ConversationRow) -> Conversation:
    """A row as the domain has it."""
    return Conversation(
        conversation_id=row.conversation_id,
        user_id=row.user_id,
        scenario_id=row.scenario_id,
        language=row.language,
        settings=row.settings,
        begin_time_us=row.begin_time_us,
        last_time_us=row.last_time_us,
        last_sequence=row.last_sequence,
        turn_count=row.turn_count,
        ended=row.ended,
        heard_until_us=row.heard_until_us,
    )


def _known(session: Session, names: set[str]) -> dict[str, Conversation]:
    # In one order everywhere, so that two replicas can't wait for each other.
    rows = session.scalars(
        select(ConversationRow)
        .where(ConversationRow.conversation_id.in_(names))
        .order_by(ConversationRow.conversation_id)
        .with_for_update()
    )
    return {row.conversation_id: conversation_of(row) for row in rows}


def _deleted(session: Session, unknown: set[str]) -> set[str]:
    """Which of the conversations that are not there were deleted."""
    if not unknown:
        return set()
    deleted = select(DeletionRow.conversation_id).where(DeletionRow.conversation_id.in_(unknown))
    return set(session.scalars(deleted))


def _store_conversations(
    session: Session, changed: Mapping[str, Conversation], known: Mapping[str, Conversation]
) -> None:
    fresh = [
        {**asdict(each), "counted": True, "studied_sequence": 0}
        for name, each in sorted(changed.items())
        if name not in known
    ]
    older = [asdict(each) for name, each in sorted(changed.items()) if name in known]
    try:
        if fresh:
            session.execute(insert(ConversationRow), fresh)
    except IntegrityError:
        raise ConflictError(
            "Another stream sends the same conversation; send again what was not acknowledged."
        ) from None
    if older:
        session.execute(update(ConversationRow), older)


def _pack(session: Session, added: Sequence[Happening], learners: Mapping[str, LearnerRow]) -> None:
    newest_us: dict[str, int] = {}
    for happening in added:
        newest_us[happening.user_id] = max(happening.time_us, newest_us.get(happening.user_id, happening.time_us))
    for user_id, time_us in newest_us.items():
        pack_along(session, learners[user_id], time_us)


def _event_columns(happening: Happening) -> dict[str, Any]:
    return {
        "conversation_id": happening.conversation_id,
        "sequence": happening.sequence,
        "user_id": happening.user_id,
        "time_us": happening.time_us,
        "kind": happening.kind.value,
        "turn_id": happening.turn_id,
        "reply_id": happening.reply_id,
        "payload": happening.payload,
    }
