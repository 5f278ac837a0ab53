"""The settings of the media service."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from mesh.errors import InvalidFieldError
from mesh.settings import setting

#: With the second a message may bring, a crash loses at most 5 s.
LONGEST_SEGMENT_S: Final = 4.0


@dataclass(frozen=True, slots=True)
class Settings:
    """Read from `VIVAVOCE_MEDIA_<FIELD>`."""

    UNIT: ClassVar[str] = "media"

    data_dir: Path = setting(Path("data"), help="Folder for the recordings and the default database.")
    database_url: str = setting("", help="SQLAlchemy URL. Empty: SQLite in the data folder.", secret=True)
    database_threads: int = setting(4, help="Threads, and connections, for the database.")
    file_threads: int = setting(4, help="Files read or written at the same time.")
    file_queue: int = setting(256, help="Reads and writes that may wait; further ones are refused.")
    segment_s: float = setting(3.0, help="Seconds of sound kept at once: what a crash may lose, and at most 4.")
    longest_recording_s: int = setting(4 * 3600, help="Seconds a recording may last.")
    most_recordings: int = setting(256, help="Recordings made at the same time; further ones are refused.")
    forsaken_after_s: float = setting(600.0, help="Seconds without sound after which a recording that broke off ends.")

    def __post_init__(self) -> None:
        """Refuses a segment so long that a crash would lose more than we promise."""
        if not 0 < self.segment_s <= LONGEST_SEGMENT_S:
            raise InvalidFieldError(
                f"VIVAVOCE_MEDIA_SEGMENT_S is above 0 and at most {LONGEST_SEGMENT_S}.", field="segment_s"
            )

    def database(self) -> str:
        """The URL in use."""
        return self.database_url or f"sqlite:///{self.data_dir / 'media.db'}"

    def recordings(self) -> Path:
        """The folder of the recordings."""
        return self.data_dir / "recordings"
