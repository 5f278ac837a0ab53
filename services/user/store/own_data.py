"""All that the user service keeps about a person, whatever tables there are: to give it out, or to remove it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, LargeBinary, Table, delete, select
from sqlalchemy.orm import Session

from mesh.database import Database
from services.user.store.base import Base, rows_changed
from services.user.store.people_rows import UserRow
from services.user.store.standings import remember_revocations

#: Columns that prove something and tell nothing; bytes are hashes everywhere.
_SECRETS: Final = frozenset({"password_hash"})
#: The column that says whose a row is, where it has another name.
_OWNERS: Final = {"budget_overrides": "subject"}
#: Tables that stay when a person goes: the deletion itself.
STAYS: Final = frozenset({"deletions"})


class OwnData:
    """What is kept about a person, as it is given out."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, user_id: str) -> dict[str, list[dict[str, Any]]]:
        """The person's rows, by table; without secrets, times as text."""

        def unit(session: Session) -> dict[str, list[dict[str, Any]]]:
            return {table.name: _told(session, table, owner == user_id) for table, owner in _owned()}

        return await self._database.read(unit)


def remove_person(session: Session, user_id: str, now_us: int) -> int | None:
    """Removes the person's rows from every table; how many, or None where there is no such person.

    What hangs on a row goes with it, uncounted. Their access tokens are refused from now on.
    """
    # Whoever adds something to the person, or logs them in, holds this row: they are waited for, and then find it gone.
    if session.get(UserRow, user_id, with_for_update=True) is None:
        return None
    remember_revocations(session, user_id, now_us)
    removed = 0
    # The last first: what points to another table goes before that.
    for table, owner in reversed(list(_owned())):
        removed += rows_changed(session, delete(table).where(owner == user_id))
    session.expunge_all()
    return removed


def _owned() -> Iterator[tuple[Table, Column[Any]]]:
    """The tables about people, and the column that says about whom."""
    for table in Base.metadata.sorted_tables:
        owner = _OWNERS.get(table.name, "user_id")
        if owner in table.c and table.name not in STAYS:
            yield table, table.c[owner]


def _told(session: Session, table: Table, own: ColumnElement[bool]) -> list[dict[str, Any]]:
    columns = [column for column in table.c if not (column.name in _SECRETS or isinstance(column.type, LargeBinary))]
    rows = session.execute(select(*columns).where(own).order_by(*table.primary_key)).mappings()
    return [dict(_named(name, value) for name, value in row.items()) for row in rows]


def _named(name: str, value: object) -> tuple[str, object]:
    if name.endswith("_us") and isinstance(value, int):
        return name.removesuffix("_us"), datetime.fromtimestamp(value / 1_000_000, UTC).isoformat()
    return name, value
