"""Stores deliveries of events and what is counted of them, within one transaction."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import reduce
from typing import Any, Final

from sqlalchemy import delete, insert, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from mesh.errors import ConflictError
from services.history.domain.happenings import Conversation, Happening, Intake, grown, take_in, unheard_of
from services.history.domain.measures import Measures, Quarter, count, packed, unpacked, with_words, words_said
from services.history.domain.words import search_words
from services.history.events import from_payload
from services.history.tables import (
    Base,
    ConversationRow,
    DeletionRow,
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


def take_in_session(session: Session, deliveries: Sequence[Sequence[Happening]], level: Level) -> Intake:
    """Stores what the rules take, and adds it to what is counted.

    Raises:
        ConflictError: another stream brings the same new conversation for someone else.
    """
    learners = locked_learners(session, {each.user_id for delivery in deliveries for each in delivery})
    forgotten = {user_id for user_id, row in learners.items() if row.forget_time_us is not None}
    names = {each.conversation_id for delivery in deliveries for each in delivery}
    known = _known(session, names)
    deleted = set(session.scalars(select(DeletionRow.conversation_id).where(DeletionRow.conversation_id.in_(names))))
    intake = take_in(deliveries, known, forgotten, deleted)
    _store_conversations(session, intake.changed, known)
    if intake.added:
        session.execute(insert(EventRow), [_event_columns(happening) for happening in intake.added])
        heard_until = {name: conversation.heard_until_us for name, conversation in known.items()}
        add_counts(session, intake.added, intake.changed, heard_until, learners, level)
    return intake


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
        session.execute(insert(LineRow), lines)
    counted, said = count(added, heard_until), words_said(added)
    for user_id in sorted({happening.user_id for happening in added}):
        own = {quarter: words for quarter, words in said.items() if _owner(conversations, quarter) == user_id}
        languages = {word: conversations[quarter.conversation_id].language for quarter in own for word in own[quarter]}
        counted = with_words(counted, own, _numbers(session, learners[user_id], languages, level))
    _add_to_quarters(session, counted, conversations)


def recount(session: Session, row: ConversationRow, level: Level) -> None:
    """Counts a conversation anew, from its first event on."""
    learners = locked_learners(session, {row.user_id})
    for table in (LineRow, QuarterRow):
        session.execute(delete(table).where(table.conversation_id == row.conversation_id))
    stored = select(EventRow.payload).where(EventRow.conversation_id == row.conversation_id).order_by(EventRow.sequence)
    happenings = [from_payload(payload) for payload in session.scalars(stored)]
    before = unheard_of(happenings[0]) if happenings else conversation_of(row)
    after = reduce(grown, happenings, before)
    row.language, row.heard_until_us, row.counted = after.language, after.heard_until_us, True
    add_counts(session, happenings, {row.conversation_id: after}, {}, learners, level)


def locked_learners(session: Session, user_ids: set[str]) -> dict[str, LearnerRow]:
    """The rows of these people, made where there is none, and locked: in one order everywhere, against deadlocks."""
    rows = [{"user_id": user_id, "word_count": 0, "forgotten_events": 0} for user_id in sorted(user_ids)]
    session.execute(_insert(session, LearnerRow).on_conflict_do_nothing(), rows)
    locked = select(LearnerRow).where(LearnerRow.user_id.in_(user_ids)).order_by(LearnerRow.user_id).with_for_update()
    return {row.user_id: row for row in session.scalars(locked)}


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


def _numbers(session: Session, learner: LearnerRow, languages: Mapping[str, str], level: Level) -> dict[str, int]:
    """The numbers of words in a vocabulary that grows by those which are new."""
    wanted = sorted(languages)
    known: dict[str, int] = {}
    for start in range(0, len(wanted), _AT_ONCE):
        found = select(WordRow.word, WordRow.number).where(
            WordRow.user_id == learner.user_id, WordRow.word.in_(wanted[start : start + _AT_ONCE])
        )
        known.update((word, number) for word, number in session.execute(found))
    new = [word for word in wanted if word not in known][: max(0, _MOST_WORDS - learner.word_count)]
    if not new:
        return known
    numbered = {word: learner.word_count + place for place, word in enumerate(new)}
    session.execute(
        insert(WordRow),
        [
            {"user_id": learner.user_id, "word": word, "number": number, "level": level(word, languages[word])}
            for word, number in numbered.items()
        ],
    )
    learner.word_count += len(new)
    return known | numbered


def _add_to_quarters(
    session: Session, counted: Mapping[Quarter, Measures], conversations: Mapping[str, Conversation]
) -> None:
    if not counted:
        return
    whole = dict(counted)
    quarters = sorted(counted)
    key = tuple_(QuarterRow.conversation_id, QuarterRow.start_us)
    for start in range(0, len(quarters), _AT_ONCE):
        some = [(quarter.conversation_id, quarter.start_us) for quarter in quarters[start : start + _AT_ONCE]]
        columns = (QuarterRow.waits, QuarterRow.vocabulary, QuarterRow.counts)
        there = select(QuarterRow.conversation_id, QuarterRow.start_us, *columns).where(key.in_(some))
        for name, start_us, waits, vocabulary, counts in session.execute(there):
            before = Measures(unpacked(from_bytes(counts)), from_bytes(waits), from_bytes(vocabulary))
            whole[Quarter(start_us, name)] = before + whole[Quarter(start_us, name)]
    upsert = _insert(session, QuarterRow)
    replaced = {name: upsert.excluded[name] for name in ("counts", "waits", "vocabulary")}
    upsert = upsert.on_conflict_do_update(index_elements=["conversation_id", "start_us"], set_=replaced)
    session.execute(upsert, [_quarter_columns(each, whole[each], _owner(conversations, each)) for each in quarters])


def _quarter_columns(quarter: Quarter, measures: Measures, user_id: str) -> dict[str, Any]:
    return {
        "conversation_id": quarter.conversation_id,
        "start_us": quarter.start_us,
        "user_id": user_id,
        "waits": _bytes(measures.waits),
        "vocabulary": _bytes(measures.vocabulary),
        "counts": _bytes(packed(measures.counts)),
    }


def from_bytes(written: bytes) -> int:
    """A histogram or a set of words, as it is kept."""
    return int.from_bytes(written, "little")


def _bytes(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "little")


def _insert(session: Session, row: type[Base]) -> sqlite.Insert | postgresql.Insert:
    """An insert that knows what to do about a row that is there, which each database says in its own way."""
    return postgresql.insert(row) if session.get_bind().dialect.name == "postgresql" else sqlite.insert(row)
