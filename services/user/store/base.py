"""What every table of the user service stands on."""

from typing import Final

from sqlalchemy import CursorResult, Delete, Update
from sqlalchemy.orm import DeclarativeBase, Session

from mesh.database import metadata

VERSION_TABLE: Final = "alembic_version_user"


class Base(DeclarativeBase):
    """The tables of the user service; `schema.md` explains each column."""

    metadata = metadata()


def rows_changed(session: Session, statement: Update | Delete) -> int:
    """Carries the statement out and returns how many rows it changed or removed."""
    result = session.execute(statement)
    assert isinstance(result, CursorResult), "what changes rows has a cursor"
    return result.rowcount


def storable(text: str) -> str:
    """`text` as a column takes it: PostgreSQL keeps no NUL."""
    return text.replace("\0", "")
