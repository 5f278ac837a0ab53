"""The settings of the history service."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from mesh.settings import setting


@dataclass(frozen=True, slots=True)
class Settings:
    """Read from `VIVAVOCE_HISTORY_<FIELD>`."""

    UNIT: ClassVar[str] = "history"

    data_dir: Path = setting(Path("data"), help="Folder for the default database.")
    database_url: str = setting("", help="SQLAlchemy URL. Empty: SQLite in the data folder.", secret=True)
    database_threads: int = setting(8, help="Threads, and connections, for the database.")
    files_queue: int = setting(64, help="Pieces of exported files that may wait to be written; more are refused.")
    sums_queue: int = setting(64, help="Views of progress that may wait to be summed up; more are refused.")

    def database(self) -> str:
        """The URL in use."""
        return self.database_url or f"sqlite:///{self.data_dir / 'history.db'}"
