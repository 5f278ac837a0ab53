"""The rows of people, locked while anything of theirs changes."""

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from services.history.tables import NOTHING_PACKED, Base, LearnerRow


def locked_learners(session: Session, user_ids: set[str]) -> dict[str, LearnerRow]:
    """The rows of these people, made where there is none, and locked: in one order everywhere, against deadlocks."""
    locked = select(LearnerRow).where(LearnerRow.user_id.in_(user_ids)).order_by(LearnerRow.user_id).with_for_update()
    rows = {row.user_id: row for row in session.scalars(locked)}
    if not user_ids - rows.keys():
        return rows
    new = [
        {"user_id": user_id, "word_count": 0, "levels": b"", "packed_until_us": NOTHING_PACKED, "forgotten_events": 0}
        for user_id in sorted(user_ids - rows.keys())
    ]
    session.execute(insert_or(session, LearnerRow).on_conflict_do_nothing(), new)
    return {row.user_id: row for row in session.scalars(locked)}


def insert_or(session: Session, row: type[Base]) -> sqlite.Insert | postgresql.Insert:
    """An insert that knows what to do about a row that is there, which each database says in its own way."""
    return postgresql.insert(row) if session.get_bind().dialect.name == "postgresql" else sqlite.insert(row)
