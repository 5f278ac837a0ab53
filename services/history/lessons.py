"""Keeps the notebook and the facts, drawn from conversations when somebody asks for them."""

from collections.abc import Callable
from typing import Final, TypeVar

from sqlalchemy import Select, func, select, tuple_
from sqlalchemy.orm import Session

from mesh.clock import Clock
from mesh.database import Database
from mesh.errors import ExhaustedError, NotFoundError
from mesh.ids import new_id
from services.history.counting import Level
from services.history.domain.facts import Fact, check_fact
from services.history.domain.notebook import Item, ItemKind, check_sides
from services.history.domain.schedule import Outcome, due_us, new_card, reviewed
from services.history.learners import locked_learners
from services.history.studying import item_of, item_row, study_one
from services.history.tables import FactRow, ReviewItemRow
from services.history.times import to_us

T = TypeVar("T")
Row = TypeVar("Row", ReviewItemRow, FactRow)

#: Items of a notebook at most.
_MOST_ITEMS: Final = 10_000
#: What a tutor is told when a conversation begins.
_TOLD_FACTS: Final = 50
_TOLD_ITEMS: Final = 20


class Lessons:
    """Learners' notebooks and facts. Conversations that are not studied yet are studied when one of them is listed."""

    def __init__(self, database: Database, clock: Clock, level: Level) -> None:
        self._database = database
        self._clock = clock
        self._level = level

    async def study(self, user_id: str) -> None:
        """Draws from the person's conversations what is new in them, each in a transaction of its own."""
        while await self._database.run(lambda session: study_one(session, user_id, self._level)):
            pass

    async def items(self, user_id: str, after: tuple[int, str] | None, limit: int, *, due_only: bool) -> list[Item]:
        """The person's items, due first, after the one that is due then with that id."""
        await self.study(user_id)
        wanted = _items_of(user_id)
        if due_only:
            wanted = wanted.where(ReviewItemRow.due_time_us <= self._now_us())
        if after is not None:
            wanted = wanted.where(tuple_(ReviewItemRow.due_time_us, ReviewItemRow.review_item_id) > after)
        due_first = wanted.order_by(ReviewItemRow.due_time_us, ReviewItemRow.review_item_id).limit(limit)
        return await self._database.read(lambda session: [item_of(row) for row in session.scalars(due_first)])

    async def of_conversation(self, user_id: str, conversation_id: str) -> list[Item]:
        """The person's items that come from a conversation."""
        await self.study(user_id)
        wanted = _items_of(user_id).where(ReviewItemRow.conversation_id == conversation_id)
        in_order = wanted.order_by(ReviewItemRow.review_item_id)
        return await self._database.read(lambda session: [item_of(row) for row in session.scalars(in_order)])

    async def all_of(self, user_id: str) -> tuple[list[Item], list[Fact]]:
        """Everything: the notebook, and the facts."""
        await self.study(user_id)
        items = _items_of(user_id).order_by(ReviewItemRow.review_item_id)
        facts = _facts_of(user_id).order_by(FactRow.fact_id)
        return await self._database.read(
            lambda session: (
                [item_of(row) for row in session.scalars(items)],
                [_fact(row) for row in session.scalars(facts)],
            )
        )

    async def add_item(self, user_id: str, front: str, back: str, request_id: str) -> Item:
        """Adds an item of the person's own; the same again for the same request.

        Raises:
            InvalidFieldError: it can't be reviewed.
            ExhaustedError: the notebook is full.
        """
        check_sides(front, back)
        item = Item(new_id("rev"), ItemKind.WORD, front, back, new_card(self._now_us()))

        def unit(session: Session) -> Item:
            locked_learners(session, {user_id})
            same = _items_of(user_id).where(ReviewItemRow.request_id == request_id)
            if request_id and (earlier := session.scalars(same).one_or_none()):
                return item_of(earlier)
            if _number_of(session, user_id) >= _MOST_ITEMS:
                raise ExhaustedError(f"The notebook holds {_MOST_ITEMS} items; delete some.")
            session.add(item_row(item, user_id, None, request_id or None))
            return item

        return await self._database.run(unit)

    async def change_item(self, user_id: str, item_id: str, front: str | None, back: str | None) -> Item:
        """Changes what is not None; the item is the person's own from then on.

        Raises:
            InvalidFieldError: it could not be reviewed any more.
            NotFoundError: there is none.
        """

        def unit(session: Session) -> Item:
            row = _own(session.get(ReviewItemRow, item_id, with_for_update=True), user_id, "review_item_id")
            new_front, new_back = row.front if front is None else front, row.back if back is None else back
            check_sides(new_front, new_back)
            row.front, row.back, row.conversation_id = new_front, new_back, None
            return item_of(row)

        return await self._database.run(_for_id(item_id, "review_item_id", unit))

    async def grade_item(self, user_id: str, item_id: str, outcome: Outcome, shown_due_us: int) -> Item:
        """Reviews an item; one that is due at another time than was shown has been reviewed since, and stays as it is.

        Raises:
            NotFoundError: there is none.
        """

        def unit(session: Session) -> Item:
            row = _own(session.get(ReviewItemRow, item_id, with_for_update=True), user_id, "review_item_id")
            if row.due_time_us == shown_due_us:
                row.card = reviewed(row.card, outcome, self._now_us())
                row.due_time_us = due_us(row.card)
            return item_of(row)

        return await self._database.run(_for_id(item_id, "review_item_id", unit))

    async def delete_item(self, user_id: str, item_id: str) -> None:
        """Removes an item, if there is one. It is not proposed again."""

        def unit(session: Session) -> None:
            row = session.get(ReviewItemRow, item_id, with_for_update=True)
            if row is not None and row.user_id == user_id:
                row.front = row.back = row.turn_id = ""
                row.deleted, row.conversation_id = True, None

        if "\0" not in item_id:
            await self._database.run(unit)

    async def facts(self, user_id: str, after: str, limit: int) -> list[Fact]:
        """The person's facts, in the order in which they were proposed."""
        await self.study(user_id)
        wanted = _facts_of(user_id).where(FactRow.fact_id > after).order_by(FactRow.fact_id).limit(limit)
        return await self._database.read(lambda session: [_fact(row) for row in session.scalars(wanted)])

    async def change_fact(self, user_id: str, fact_id: str, text: str | None, accepted: bool | None) -> Fact:
        """Changes what is not None; the fact is the person's own from then on.

        Raises:
            InvalidFieldError: the text is none.
            NotFoundError: there is none.
        """
        if text is not None:
            check_fact(text)

        def unit(session: Session) -> Fact:
            row = _own(session.get(FactRow, fact_id, with_for_update=True), user_id, "fact_id")
            row.text = row.text if text is None else text
            row.accepted = row.accepted if accepted is None else accepted
            row.conversation_id = None
            return _fact(row)

        return await self._database.run(_for_id(fact_id, "fact_id", unit))

    async def delete_fact(self, user_id: str, fact_id: str) -> None:
        """Removes a fact, if there is one. It is not proposed again."""

        def unit(session: Session) -> None:
            row = session.get(FactRow, fact_id, with_for_update=True)
            if row is not None and row.user_id == user_id:
                row.text, row.accepted, row.deleted, row.conversation_id = "", False, True, None

        if "\0" not in fact_id:
            await self._database.run(unit)

    async def for_the_tutor(self, user_id: str) -> tuple[list[Fact], list[Item]]:
        """What the tutor should know when a conversation begins: facts agreed to, and what is due."""
        due = await self.items(user_id, None, _TOLD_ITEMS, due_only=True)
        wanted = _facts_of(user_id).where(FactRow.accepted).order_by(FactRow.fact_id).limit(_TOLD_FACTS)
        return await self._database.read(lambda session: [_fact(row) for row in session.scalars(wanted)]), due

    def _now_us(self) -> int:
        return to_us(self._clock.wall())


def _items_of(user_id: str) -> Select[ReviewItemRow]:
    return select(ReviewItemRow).where(ReviewItemRow.user_id == user_id, ReviewItemRow.deleted.is_(False))


def _facts_of(user_id: str) -> Select[FactRow]:
    return select(FactRow).where(FactRow.user_id == user_id, FactRow.deleted.is_(False))


def _number_of(session: Session, user_id: str) -> int:
    return session.scalars(select(func.count()).select_from(_items_of(user_id).subquery())).one()


def _fact(row: FactRow) -> Fact:
    return Fact(row.fact_id, row.text, row.accepted)


def _for_id(wanted: str, field: str, unit: Callable[[Session], T]) -> Callable[[Session], T]:
    """The unit; one that finds nothing where the id is none, which PostgreSQL would refuse to look for."""

    def nothing(_: Session) -> T:
        raise _none(field)

    return nothing if "\0" in wanted else unit


def _own(row: Row | None, user_id: str, field: str) -> Row:
    if row is None or row.user_id != user_id or row.deleted:
        raise _none(field)
    return row


def _none(field: str) -> NotFoundError:
    return NotFoundError("You have nothing of that id; list yours to find it.", field=field)
