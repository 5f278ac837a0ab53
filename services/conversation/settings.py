"""The settings of the conversation service."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from mesh.settings import setting
from services.conversation.domain.state import Limits
from services.conversation.domain.strain import Bearable
from services.conversation.domain.turns import Waits


@dataclass(frozen=True, slots=True)
class Settings:
    """Every field can be set by VIVAVOCE_CONVERSATION_<FIELD>."""

    UNIT: ClassVar[str] = "conversation"

    data_dir: Path = setting(Path("data"), help="Folder for the default database.")
    database_url: str = setting("", help="SQLAlchemy URL. Empty: SQLite in the data folder.", secret=True)
    database_threads: int = setting(8, help="Database calls at once.")
    max_sessions: int = setting(200, help="Live sessions of all learners; more are refused as OVERLOADED.")
    max_sessions_per_user: int = setting(4, help="Live sessions of one learner; more are refused as RATE_LIMITED.")
    budget_every_s: float = setting(20.0, help="Seconds between the bookings of what a session uses.")
    max_session_s: float = setting(3600.0, help="Longest session, in seconds.")
    idle_s: float = setting(300.0, help="Seconds without a word or a key after which a session ends.")
    nudge_s: float = setting(15.0, help="Seconds of silence after which the tutor asks, twice at most. 0: never.")
    resume_s: float = setting(30.0, help="Seconds a client that lost its wire is waited for. 0: not at all.")
    silence_s: float = setting(120.0, help="Seconds without any message from the client after which a session ends.")
    messages_per_s: float = setting(
        200.0, help="Messages a second of one session; more end it as RATE_LIMITED. A text counts as 50."
    )
    stalled_s: float = setting(10.0, help="Seconds a client may not read before its session ends as TOO_SLOW.")
    shortest_wait_ms: float = setting(250.0, help="Pause after which a turn that surely is over is answered.")
    longest_wait_ms: float = setting(1500.0, help="Pause after which a turn that surely is not over is answered.")
    engine_silent_s: float = setting(8.0, help="Seconds the engine may give nothing before the learner is told.")
    engine_open_s: float = setting(20.0, help="Seconds the engine may take to be configured.")
    busy_lag_ms: float = setting(
        50.0, help="Delay of this process from which one reply a turn is made ahead, not three; from twice that, none."
    )
    busy_replies: int = setting(
        6, help="Replies being made at once from which one a turn is made ahead, not three; from twice that, none."
    )
    drain_s: float = setting(4.0, help="Seconds a reply may take to end when the server stops.")
    recall_s: float = setting(
        0.3, help="Seconds history may take to tell what the tutor should know; then the talk begins without."
    )
    relay_lease_s: float = setting(
        3.0, help="Seconds after which another replica takes over what a replica that vanished was sending to history."
    )
    outbox_bound: int = setting(50_000, help="Events waiting for history; at this many, new sessions are refused.")

    @property
    def database(self) -> str:
        """The database's URL."""
        return self.database_url or f"sqlite:///{self.data_dir / 'conversation.db'}"

    @property
    def waits(self) -> Waits:
        """How long pauses are waited out."""
        return Waits(self.shortest_wait_ms / 1000, self.longest_wait_ms / 1000)

    @property
    def bearable(self) -> Bearable:
        """What counts as busy."""
        return Bearable(self.busy_lag_ms / 1000, self.busy_replies)

    @property
    def limits(self) -> Limits:
        """How long things in a session may take."""
        return Limits(
            engine_silent_s=self.engine_silent_s,
            idle_s=self.idle_s,
            nudge_s=self.nudge_s,
            resume_s=self.resume_s,
            session_s=self.max_session_s,
            drain_s=self.drain_s,
        )
