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
    """Read from `VIVAVOCE_PEERS_<FIELD>`: where each service is found, and what they know each other by."""

    UNIT: ClassVar[str] = "peers"

    user: str = setting("127.0.0.1:50061", help="gRPC address of the user service.")
    conversation: str = setting("127.0.0.1:50062", help="gRPC address of the conversation service.")
    ai_engine: str = setting("127.0.0.1:50063", help="gRPC address of the ai_engine service.")
    history: str = setting("127.0.0.1:50064", help="gRPC address of the history service.")
    media: str = setting("127.0.0.1:50065", help="gRPC address of the media service.")
    certificates: str = setting(
        "",
        help="Folder made by `viva certs init`: services speak TLS and know each other by certificate. Empty: no TLS.",
    )
    key: Path = setting(
        DATA_DIR / "keys" / "services.pem",
        help="Without certificates: the key services sign their tokens with; the same file for all, made if missing.",
    )
    plaintext: bool = setting(
        False,
        help="Lets services without certificates listen beyond this machine, where something else encrypts.",
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
