"""Counts what happened, within the transaction that stores it: words, lines to search, quarters of an hour."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import delete, insert, select, tuple_
from sqlalchemy.orm import Session

from services.history.domain.happenings import Began, Conversation, Happening, grown, unheard_of
from services.history.domain.measures import Measures, Quarter, count
from services.history.domain.words import search_words
from services.history.events import from_payload
from services.history.learners import insert_or, locked_learners
from services.history.packing import measures_of, quarter_columns
from services.history.seasons import LAST_US, unpack_from
from services.history.tables import (
    NOTHING_PACKED,
    ConversationRow,
    EventRow,
    LearnerRow,
    LineRow,
    QuarterRow,
    WordRow,
)

#: The level of a word of a language: 1 (A1) to 6 (C2), 0 where it is not known.
Level = Callable[[str, str], int]

#: Words a vocabulary has at most; those that come after are not counted as different ones.
_MOST_WORDS: Final = 50_000
#: Characters of a line that can be searched: PostgreSQL indexes no line of a megabyte.
_SEARCHED: Final = 20_000
#: Values of one look-up.
_AT_ONCE: Final = 500


def add_counts(
    session: Session,
    added: Sequence[Happening],
    conversations: Mapping[str, Conversation],
    heard_until: Mapping[str, int],
    learners: Mapping[str, LearnerRow],
    level: Level,
) -> None:
    """Adds happenings to the lines that are searched, the words that are known and the quarters that are counted."""
    if lines := [line for happening in added if (line := _line_columns(happening))]:
        session.connection().execute(insert(LineRow), lines)
    counted = count(added, heard_until, {name: each.language for name, each in conversations.items()})
    measured: dict[Quarter, Measures] = {}
    new_words: list[dict[str, Any]] = []
    for user_id in sorted({happening.user_id for happening in added}):
        own = {quarter: each for quarter, each in counted.items() if _owner(conversations, quarter) == user_id}
        languages = {
            word: conversations[quarter.conversation_id].language
            for quarter, each in own.items()
            for word in each.words
        }
        numbers, new = _numbers(session, learners[user_id], languages, level)
        new_words += new
        measured |= {quarter: each.measures(numbers) for quarter, each in own.items()}
        unpack_from(session, learners[user_id], min((quarter.start_us for quarter in own), default=LAST_US))
    if new_words:
        session.connection().execute(insert(WordRow), new_words)
    for happening in added:
        # A role-play that is told late is that of all that came before.
        if isinstance(happening.content, Began) and happening.sequence > 1:
            unpack_from(session, learners[happening.user_id], NOTHING_PACKED)
    _add_to_quarters(session, measured, conversations)


def recount(session: Session, row: ConversationRow, level: Level) -> None:
    """Counts a conversation anew, from its first event on."""
    learners = locked_learners(session, {row.user_id})
    unpack_from(session, learners[row.user_id], NOTHING_PACKED)
    for table in (LineRow, QuarterRow):
        session.execute(delete(table).where(table.conversation_id == row.conversation_id))
    stored = select(EventRow.payload).where(EventRow.conversation_id == row.conversation_id).order_by(EventRow.sequence)
    happenings = [from_payload(payload) for payload in session.scalars(stored)]
    row.counted = True
    if not happenings:
        return
    after = grown(unheard_of(happenings[0]), happenings)
    row.language, row.heard_until_us = after.language, after.heard_until_us
    add_counts(session, happenings, {row.conversation_id: after}, {}, learners, level)


def _line_columns(happening: Happening) -> dict[str, Any] | None:
    words = " ".join(search_words(happening.text[:_SEARCHED]))
    if not words:
        return None
    return {
        "conversation_id": happening.conversation_id,
        "sequence": happening.sequence,
        "user_id": happening.user_id,
        "time_us": happening.time_us,
        "words": words,
    }


def _owner(conversations: Mapping[str, Conversation], quarter: Quarter) -> str:
    return conversations[quarter.conversation_id].user_id


def _numbers(
    session: Session, learner: LearnerRow, languages: Mapping[str, str], level: Level
) -> tuple[dict[str, int], list[dict[str, Any]]]:
    """The numbers of words in a vocabulary that grows by those which are new, and the rows of these."""
    wanted = sorted(languages)
    known: dict[str, int] = {}
    for start in range(0, len(wanted), _AT_ONCE):
        found = select(WordRow.word, WordRow.number).where(
            WordRow.user_id == learner.user_id, WordRow.word.in_(wanted[start : start + _AT_ONCE])
        )
        known.update((word, number) for word, number in session.execute(found))
    new = [word for word in wanted if word not in known][: max(0, _MOST_WORDS - learner.word_count)]
    if not new:
        return known, []
    numbered = {word: learner.word_count + place for place, word in enumerate(new)}
    levels = {word: level(word, languages[word]) for word in new}
    learner.word_count += len(new)
    learner.levels += bytes(levels.values())
    rows = [
        {"user_id": learner.user_id, "word": word, "number": number, "level": levels[word]}
        for word, number in numbered.items()
    ]
    return known | numbered, rows


def _add_to_quarters(
    session: Session, measured: Mapping[Quarter, Measures], conversations: Mapping[str, Conversation]
) -> None:
    if not measured:
        return
    whole = dict(measured)
    quarters = sorted(measured)
    key = tuple_(QuarterRow.conversation_id, QuarterRow.start_us)
    columns = (QuarterRow.counts, QuarterRow.vocabulary, QuarterRow.named)
    for start in range(0, len(quarters), _AT_ONCE):
        some = [(quarter.conversation_id, quarter.start_us) for quarter in quarters[start : start + _AT_ONCE]]
        there = select(QuarterRow.conversation_id, QuarterRow.start_us, *columns).where(key.in_(some))
        for name, start_us, counts, vocabulary, named in session.execute(there):
            before = measures_of(counts, vocabulary, named)
            whole[Quarter(start_us, name)] = before + whole[Quarter(start_us, name)]
    upsert = insert_or(session, QuarterRow)
    replaced = {column.key: upsert.excluded[column.key] for column in columns}
    upsert = upsert.on_conflict_do_update(index_elements=["conversation_id", "start_us"], set_=replaced)
    session.execute(upsert, [_quarter_row(each, whole[each], _owner(conversations, each)) for each in quarters])


def _quarter_row(quarter: Quarter, measures: Measures, user_id: str) -> dict[str, Any]:
    place = {"conversation_id": quarter.conversation_id, "start_us": quarter.start_us, "user_id": user_id}
    return place | quarter_columns(measures)
