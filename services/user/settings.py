"""The settings of the user service."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from mesh.settings import setting


@dataclass(frozen=True, slots=True)
class Settings:
    """Read from `VIVAVOCE_USER_<FIELD>`."""

    UNIT: ClassVar[str] = "user"

    data_dir: Path = setting(Path("data"), help="Folder for the signing keys and the default database.")
    database_url: str = setting("", help="SQLAlchemy URL. Empty: SQLite in the data folder.", secret=True)
    database_threads: int = setting(8, help="Threads, and connections, for the database.")
    access_lifetime_s: int = setting(600, help="Seconds an access token holds.")
    refresh_lifetime_s: int = setting(30 * 86_400, help="Seconds a refresh token holds, counted anew at each renewal.")
    login_lifetime_s: int = setting(90 * 86_400, help="Seconds after which an account has to log in again. Not guests.")
    password_threads: int = setting(2, help="Passwords hashed at the same time; each takes 19 MiB.")
    password_queue: int = setting(64, help="Passwords that may wait to be hashed; further ones are refused.")

    def database(self) -> str:
        """The URL in use."""
        return self.database_url or f"sqlite:///{self.data_dir / 'user.db'}"

    def keys(self) -> Path:
        """The folder of the signing keys."""
        return self.data_dir / "keys"
