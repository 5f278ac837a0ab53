"""Where the services of one installation listen when each runs as a process of its own."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

import platformdirs

from mesh.peers import SERVICE_NAMES
from mesh.settings import setting

DATA_DIR: Final = platformdirs.user_data_path("vivavoce")
#: The services, in the order they are started: those that others need come first.
SERVICES: Final = ("user", "history", "media", "ai_engine", "conversation")
assert set(SERVICES) == set(SERVICE_NAMES), "each service is started"


@dataclass(frozen=True, slots=True)
class PeerSettings:
    """Read from `VIVAVOCE_PEERS_<FIELD>`: where each service is found, and the key they know each other by."""

    UNIT: ClassVar[str] = "peers"

    user: str = setting("127.0.0.1:50061", help="gRPC address of the user service.")
    conversation: str = setting("127.0.0.1:50062", help="gRPC address of the conversation service.")
    ai_engine: str = setting("127.0.0.1:50063", help="gRPC address of the ai_engine service.")
    history: str = setting("127.0.0.1:50064", help="gRPC address of the history service.")
    media: str = setting("127.0.0.1:50065", help="gRPC address of the media service.")
    key: Path = setting(
        DATA_DIR / "keys" / "services.pem",
        help="Private key the services sign their tokens with; the same file for all. Made where it is missing.",
    )

    def addresses(self) -> dict[str, str]:
        """The addresses by service."""
        return {
            "user": self.user,
            "conversation": self.conversation,
            "ai_engine": self.ai_engine,
            "history": self.history,
            "media": self.media,
        }
