"""The settings of the user service."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from mesh.settings import setting
from services.user.domain.acts import Act
from services.user.domain.budgets import Overrides


@dataclass(frozen=True, slots=True)
class Settings:
    """Read from `VIVAVOCE_USER_<FIELD>`."""

    UNIT: ClassVar[str] = "user"

    data_dir: Path = setting(Path("data"), help="Folder for the signing keys and the default database.")
    database_url: str = setting("", help="SQLAlchemy URL. Empty: SQLite in the data folder.", secret=True)
    database_threads: int = setting(8, help="Threads, and connections, for the database.")
    access_lifetime_s: int = setting(600, help="Seconds an access token holds; an hour at most.")
    signing_key_days: int = setting(90, help="Days after which access tokens are signed with a new key. 0: never.")
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

    guest_days: int = setting(30, help="Days after the last visit that a guest is kept. 0: for good.")
    deletion_look_s: float = setting(5.0, help="Seconds between looks for deletions that are due to be carried on.")
    audit_days: int = setting(365, help="Days that what happened to accounts is kept.")
    register_rate: str = setting("20/hour", help="Registrations from one network. Empty: no bound; so for all rates.")
    guest_rate: str = setting("600/hour", help="Guests from one network.")
    login_rate: str = setting("60/minute;600/hour", help="Logins from one network, right or wrong.")
    refresh_rate: str = setting("300/minute", help="Renewals of tokens from one network.")
    reset_rate: str = setting("20/hour", help="Links for a new password asked for from one network.")
    account_reset_rate: str = setting("3/hour;10/day", help="Links for a new password asked for one address.")
    verify_rate: str = setting("60/hour", help="Links that verify an address asked for from one network.")
    account_verify_rate: str = setting("3/hour;10/day", help="Links that verify an address asked for by one account.")
    link_rate: str = setting("60/hour", help="Tokens of links shown from one network.")
    ticket_rate: str = setting("600/minute", help="Tickets for WebSockets from one network.")
    account_ticket_rate: str = setting("30/minute", help="Tickets for WebSockets of one account.")

    export_bytes: int = setting(4 * 1024**3, help="The most one person's export may hold, in bytes before packing.")

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

    def exports(self) -> Path:
        """The folder of archives that wait to be fetched."""
        return self.data_dir / "exports"

    def keys(self) -> Path:
        """The folder of the signing keys."""
        return self.data_dir / "keys"

    def rates_by_place(self) -> dict[Act, str]:
        """How often one network may do what."""
        return {
            Act.REGISTER: self.register_rate,
            Act.GUEST: self.guest_rate,
            Act.LOG_IN: self.login_rate,
            Act.REFRESH: self.refresh_rate,
            Act.RESET: self.reset_rate,
            Act.VERIFY: self.verify_rate,
            Act.LINK: self.link_rate,
            Act.TICKET: self.ticket_rate,
        }

    def rates_by_account(self) -> dict[Act, str]:
        """How often one account may do what."""
        return {
            Act.RESET: self.account_reset_rate,
            Act.VERIFY: self.account_verify_rate,
            Act.TICKET: self.account_ticket_rate,
        }
