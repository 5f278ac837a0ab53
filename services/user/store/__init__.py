"""The tables of the user service, an area a file. Importing the package makes `Base` know them all."""

from services.user.store import (
    access_keys,
    audit,
    budget_rows,
    deletions,
    guesses,
    links,
    login_rows,
    people_rows,
    standings,
    tickets,
)
from services.user.store.base import VERSION_TABLE, Base

__all__ = [
    "VERSION_TABLE",
    "Base",
    "access_keys",
    "audit",
    "budget_rows",
    "deletions",
    "guesses",
    "links",
    "login_rows",
    "people_rows",
    "standings",
    "tickets",
]
