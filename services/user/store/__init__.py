"""The tables of the user service, an area a file. Importing the package makes `Base` know them all."""

from services.user.store import audit, budget_rows, deletions, guesses, links, login_rows, people_rows
from services.user.store.base import VERSION_TABLE, Base

__all__ = [
    "VERSION_TABLE",
    "Base",
    "audit",
    "budget_rows",
    "deletions",
    "guesses",
    "links",
    "login_rows",
    "people_rows",
]
