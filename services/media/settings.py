"""The settings of the media service."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from mesh.errors import InvalidFieldError
from mesh.settings import setting

#: With the second a message may bring, a crash loses at most 5 s.
LONGEST_SEGMENT_S: Final = 4.0
_MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Settings:
    """Read from `VIVAVOCE_MEDIA_<FIELD>`."""

    UNIT: ClassVar[str] = "media"

    data_dir: Path = setting(Path("data"), help="Folder for the recordings and the default database.")
    database_url: str = setting("", help="SQLAlchemy URL. Empty: SQLite in the data folder.", secret=True)
    database_threads: int = setting(4, help="Threads, and connections, for the database.")
    file_threads: int = setting(4, help="Files read or written at the same time.")
    file_queue: int = setting(256, help="Reads and writes that may wait; further ones are refused.")
    node: str = setting("", help="Name of this machine among several that share a database; it must stay the same.")

    segment_s: float = setting(4.0, help="Seconds of sound kept at once: what a crash may lose, and at most 4.")
    longest_recording_s: int = setting(4 * 3600, help="Seconds a recording may last.")
    most_recordings: int = setting(256, help="Recordings made at the same time; further ones are refused.")
    forsaken_after_s: float = setting(600.0, help="Seconds without sound after which a recording that broke off ends.")
    spool_mb: int = setting(
        10_240, help="MiB of sound that may wait on this disk for the store; new recordings are refused at 80 %."
    )
    keep_days: int = setting(0, help="Days recordings are kept at most; learners may wish for less. 0: for good.")

    store: str = setting("local", help="Where lasting files are kept: local, or s3.")
    s3_profile: str = setting("aws", help="Kind of S3: aws, seaweedfs (and others like MinIO), or oss (Alibaba).")
    s3_endpoint: str = setting("", help="Address of the store, such as https://s3.oss-eu-central-1.aliyuncs.com.")
    s3_region: str = setting("us-east-1", help="Region of the bucket.")
    s3_bucket: str = setting("", help="The bucket; it must exist.")
    s3_prefix: str = setting("", help="What keys begin with, such as vivavoce/. Empty: nothing.")
    s3_access_key: str = setting("", help="Access key id. Empty: as boto3 finds it, such as the machine's role.")
    s3_secret_key: str = setting("", help="Secret access key.", secret=True)
    s3_encryption: str = setting("", help="Encryption by the store: AES256, or aws:kms. Empty: the bucket's own.")
    s3_kms_key: str = setting("", help="Key for aws:kms. Empty: the account's own.")
    s3_threads: int = setting(8, help="Calls to the store at the same time.")
    presign: bool = setting(False, help="Whether links lead to the store itself, where it has what is played.")

    playback_secret: str = setting(
        "", help="Signs links. Empty: a key in the data folder. Several machines need the same.", secret=True
    )
    public_url: str = setting("", help="What links begin with, such as https://talk.example.org. Empty: a path.")
    playback_mb: int = setting(512, help="MiB of slow replays and the like that are kept to be played again.")
    sound_processes: int = setting(2, help="Files changed at the same time, each by a process.")
    sound_queue: int = setting(32, help="Files that may wait to be changed; further ones are refused.")
    archive_processes: int = setting(1, help="Recordings archived at the same time, each by a process. 0: they wait.")
    longest_sound_s: int = setting(7200, help="Seconds that sound sent to be changed may last.")
    sound_memory_mb: int = setting(512, help="MiB of memory a process that changes sound may take.")

    def __post_init__(self) -> None:
        """Refuses a segment so long that a crash would lose more than we promise, and a store nobody knows."""
        if not 0 < self.segment_s <= LONGEST_SEGMENT_S:
            raise InvalidFieldError(
                f"VIVAVOCE_MEDIA_SEGMENT_S is above 0 and at most {LONGEST_SEGMENT_S}.", field="segment_s"
            )
        if self.store not in ("local", "s3"):
            raise InvalidFieldError("VIVAVOCE_MEDIA_STORE is local or s3.", field="store")

    def database(self) -> str:
        """The URL in use."""
        return self.database_url or f"sqlite:///{self.data_dir / 'media.db'}"

    def spool(self) -> Path:
        """The folder of segments."""
        return self.data_dir / "recordings"

    def archive(self) -> Path:
        """The folder of lasting files, where the store is local."""
        return self.data_dir / "archive"

    def shelf(self) -> Path:
        """The folder of what can be made again."""
        return self.data_dir / "playback"

    def spool_bytes(self) -> int:
        """The most that may wait."""
        return self.spool_mb * _MIB

    def shelf_bytes(self) -> int:
        """The most that is kept to be played again."""
        return self.playback_mb * _MIB

    def sound_memory_bytes(self) -> int:
        """The most memory of a process that changes sound."""
        return self.sound_memory_mb * _MIB
