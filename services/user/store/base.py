"""What every table of the user service stands on."""

from typing import Final

from sqlalchemy.orm import DeclarativeBase

from mesh.database import metadata

VERSION_TABLE: Final = "alembic_version_user"


class Base(DeclarativeBase):
    """The tables of the user service; `schema.md` explains each column."""

    metadata = metadata()


def storable(text: str) -> str:
    """`text` as a column takes it: PostgreSQL keeps no NUL."""
    return text.replace("\0", "")
