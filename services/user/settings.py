"""The settings of the user service."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from mesh.settings import setting
from services.user.domain.budgets import Overrides


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
    budget_sessions: int = setting(4, help="Sessions of one person at once. Here and in all budgets, -1 is no bound.")
    budget_audio_seconds: int = setting(4 * 3600, help="Seconds of sound a person may send and hear a day.")
    budget_model_tokens: int = setting(500_000, help="Tokens of language models a person may use a day.")
    budget_spoken_characters: int = setting(200_000, help="Characters a person may have spoken by vendors a day.")
    budget_money_micros_day: int = setting(
        2_000_000, help="Money a person may cost a day, in millionths of the currency the prices are in."
    )
    budget_money_micros_month: int = setting(20_000_000, help="Money a person may cost a month, likewise.")
    spending_stopped: bool = setting(False, help="Refuse every session and every call that may cost, for everybody.")

    def budget(self) -> Overrides:
        """What counts for everybody about whom nothing else is said."""
        return Overrides(
            concurrent_sessions=self.budget_sessions,
            audio_seconds=self.budget_audio_seconds,
            model_tokens=self.budget_model_tokens,
            spoken_characters=self.budget_spoken_characters,
            money_micros_day=self.budget_money_micros_day,
            money_micros_month=self.budget_money_micros_month,
        )

    def database(self) -> str:
        """The URL in use."""
        return self.database_url or f"sqlite:///{self.data_dir / 'user.db'}"

    def keys(self) -> Path:
        """The folder of the signing keys."""
        return self.data_dir / "keys"
