"""The tables of the user service, an area a file. Importing the package makes `Base` know them all."""

from services.user.store import budget_rows, login_rows, people_rows
from services.user.store.base import VERSION_TABLE, Base

__all__ = ["VERSION_TABLE", "Base", "budget_rows", "login_rows", "people_rows"]
