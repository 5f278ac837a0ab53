"""Studies one conversation: what was reviewed in it, and what is new, within one transaction."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session
from vivavoce.conversation.v1 import conversation_pb2 as conversation_pb

from mesh.ids import new_id
from services.history.counting import Level
from services.history.domain.facts import digest_of as fact_digest
from services.history.domain.facts import facts_in
from services.history.domain.happenings import Happening, Heard, Said
from services.history.domain.notebook import Item, ItemKind, Words, digest_of, study
from services.history.domain.words import words
from services.history.events import from_payload
from services.history.learners import locked_learners
from services.history.tables import ConversationRow, EventRow, FactRow, ReviewItemRow, WordRow

#: Nothing more is proposed to a learner who has so many.
_MOST_ITEMS: Final = 5000
_MOST_FACTS: Final = 500
#: The level of a learner who has told none: A2.
_USUAL_LEVEL: Final = 2
#: Words as far above the learner's level are worth learning next.
_NEXT_LEVELS: Final = 2
#: Words looked up at most.
_LOOKED_UP: Final = 500


def study_one(session: Session, user_id: str, level: Level) -> bool:
    """Studies the oldest of the person's conversations in which something is new; whether there was one."""
    unstudied = (
        select(ConversationRow)
        .where(ConversationRow.user_id == user_id, ConversationRow.studied_sequence < ConversationRow.last_sequence)
        .order_by(ConversationRow.begin_time_us)
        .limit(1)
    )
    if session.scalars(unstudied).one_or_none() is None:
        return False
    # Only now: most who ask have nothing unstudied, and need not wait for each other.
    locked_learners(session, {user_id})
    row = session.scalars(unstudied.with_for_update()).one_or_none()
    if row is None:
        return False
    happenings = _new_in(session, row)
    _study(session, row, happenings, level)
    _propose_facts(session, row, happenings)
    row.studied_sequence = row.last_sequence
    return True


def item_of(row: ReviewItemRow) -> Item:
    """An item as the domain has it."""
    return Item(row.review_item_id, ItemKind(row.kind), row.front, row.back, row.card, row.turn_id)


def item_row(item: Item, user_id: str, conversation_id: str | None, request_id: str | None) -> ReviewItemRow:
    """A row for a new item."""
    return ReviewItemRow(
        review_item_id=item.item_id,
        user_id=user_id,
        conversation_id=conversation_id,
        turn_id=item.turn_id,
        kind=item.kind.value,
        front=item.front,
        back=item.back,
        card=item.card,
        due_time_us=item.due_us,
        digest=digest_of(item),
        deleted=False,
        request_id=request_id,
    )


def _new_in(session: Session, row: ConversationRow) -> list[Happening]:
    stored = (
        select(EventRow.payload)
        .where(EventRow.conversation_id == row.conversation_id, EventRow.sequence > row.studied_sequence)
        .order_by(EventRow.sequence)
    )
    return [from_payload(payload) for payload in session.scalars(stored)]


def _study(session: Session, row: ConversationRow, happenings: Sequence[Happening], level: Level) -> None:
    rows = {
        each.review_item_id: each
        for each in session.scalars(select(ReviewItemRow).where(ReviewItemRow.user_id == row.user_id))
    }
    items = [item_of(each) for each in rows.values() if not each.deleted]
    studied = study(
        happenings,
        items,
        {each.digest for each in rows.values()},
        _known_words(session, row, happenings, level),
        lambda: new_id("rev"),
    )
    for item in studied.reviewed:
        rows[item.item_id].card, rows[item.item_id].due_time_us = item.card, item.due_us
    for item in studied.new[: max(0, _MOST_ITEMS - len(items))]:
        session.add(item_row(item, row.user_id, row.conversation_id, None))


def _known_words(session: Session, row: ConversationRow, happenings: Sequence[Happening], level: Level) -> Words:
    heard = {word for each in happenings if isinstance(each.content, Heard) for word in words(each.content.text)}
    chosen = conversation_pb.ConversationSettings.FromString(row.settings)
    floor = chosen.level or _USUAL_LEVEL
    worth = {word for word in heard if floor < level(word, row.language) <= floor + _NEXT_LEVELS}
    used = session.scalars(
        select(WordRow.word).where(WordRow.user_id == row.user_id, WordRow.word.in_(sorted(worth)[:_LOOKED_UP]))
    )
    return Words(used=set(used).__contains__, worth=worth.__contains__)


def _propose_facts(session: Session, row: ConversationRow, happenings: Sequence[Happening]) -> None:
    proposed = facts_in(each.content.text for each in happenings if isinstance(each.content, Said))
    if not proposed:
        return
    known = set(session.scalars(select(FactRow.digest).where(FactRow.user_id == row.user_id)))
    for text in proposed[: max(0, _MOST_FACTS - len(known))]:
        if (digest := fact_digest(text)) not in known:
            session.add(
                FactRow(
                    fact_id=new_id("fct"),
                    user_id=row.user_id,
                    conversation_id=row.conversation_id,
                    text=text,
                    digest=digest,
                    accepted=False,
                    deleted=False,
                )
            )
