"""Finds lines by their words, in the way of each database: text search in PostgreSQL, FTS5 in SQLite."""

from collections.abc import Sequence
from functools import reduce
from typing import Any

from sqlalchemy import ColumnElement, Select, column, func, literal_column, select, table, text
from sqlalchemy.orm import Session

from services.history.domain.keeping import Hunt
from services.history.tables import EventRow, LineRow

_SIMPLE: ColumnElement[str] = literal_column("'simple'")


def found_payloads(session: Session, hunt: Hunt, offset: int, limit: int) -> list[bytes]:
    """The events whose lines hold all that is searched, best first."""
    matching, rank = _matching(session, hunt.user_id, hunt.phrases)
    wanted = matching.add_columns(EventRow.payload).join(
        EventRow, (EventRow.conversation_id == LineRow.conversation_id) & (EventRow.sequence == LineRow.sequence)
    )
    if hunt.start_us is not None:
        wanted = wanted.where(LineRow.time_us >= hunt.start_us)
    if hunt.end_us is not None:
        wanted = wanted.where(LineRow.time_us < hunt.end_us)
    best = wanted.order_by(rank, LineRow.time_us.desc(), LineRow.line_id).offset(offset).limit(limit)
    return [row.payload for row in session.execute(best)]


def conversations_with(session: Session, user_id: str, phrases: Sequence[str]) -> Select[tuple[str]]:
    """The ids of conversations that have a line which holds all of it."""
    matching, _ = _matching(session, user_id, phrases)
    return matching.with_only_columns(LineRow.conversation_id)


def _matching(session: Session, user_id: str, phrases: Sequence[str]) -> tuple[Select[Any], ColumnElement[Any]]:
    """The person's lines that hold every phrase, and what sorts the best first."""
    own = select(LineRow.line_id).where(LineRow.user_id == user_id)
    if session.get_bind().dialect.name == "postgresql":
        vector = func.to_tsvector(_SIMPLE, LineRow.words)
        # Phrases are plain words here: no operator reaches the query.
        each: list[ColumnElement[Any]] = [func.phraseto_tsquery(_SIMPLE, phrase) for phrase in phrases]
        whole = reduce(lambda one, other: one.op("&&")(other), each)
        return own.where(vector.op("@@")(whole)), func.ts_rank(vector, whole).desc()
    index = table("history_search", column("rowid"))
    owner = user_id.replace('"', '""')
    # The learner's id is indexed beside the words, so that others' lines cost nothing.
    query = " AND ".join([f'user_id : "{owner}"', *(f'words : "{phrase}"' for phrase in phrases)])
    joined = own.join(index, index.c.rowid == LineRow.line_id).where(text("history_search MATCH :query"))
    return joined.params(query=query), literal_column("bm25(history_search, 0.0, 1.0)")
