"""Locks by name, held to the end of a transaction, for what no row can be locked for yet."""

import hashlib
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

_KEY_BYTES: Final = 8


def hold(session: Session, name: str, *, shared: bool = False) -> None:
    """Waits for the lock `name` and keeps it until the transaction ends; several may hold it `shared`.

    SQLite's BEGIN IMMEDIATE, with which every unit that writes begins, is such a lock by itself.
    """
    if session.get_bind().dialect.name == "postgresql":
        digest = hashlib.blake2b(name.encode(), digest_size=_KEY_BYTES).digest()
        function = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
        session.execute(text(f"SELECT {function}(:key)"), {"key": int.from_bytes(digest, signed=True)})
