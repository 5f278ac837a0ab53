"""Where bytes are kept: segments on the disk of the machine that records, lasting files in a store."""

from pathlib import Path
from typing import Final, Protocol

from services.media.domain.tracks import Track

#: What is known of a recording, beside its files: whoever has the store alone can tell what they are.
DESCRIPTION: Final = "recording.json"


class Spool(Protocol):
    """Keeps segments on the disk of this machine until they are archived. Raises UnavailableError where it can't.

    Keys are words of a-z, 0-9 and _, separated by slashes; the first is the recording.
    """

    def check_room(self) -> None:
        """Sees to it that there is room for another recording.

        Raises:
            OverloadedError: too much waits to be archived.
        """
        ...

    async def put(self, key: str, content: bytes) -> str:
        """Keeps `content`; it survives a crash once this returns its SHA-256 in hexadecimal. Replaces what was there.

        Raises:
            OverloadedError: the spool is full, or too much waits for the disk.
        """
        ...

    async def get(self, key: str) -> bytes:
        """What is kept there."""
        ...

    async def keys(self, prefix: str) -> list[str]:
        """The keys below a prefix."""
        ...

    async def recordings(self) -> list[str]:
        """The recordings that something is kept of."""
        ...

    async def tidy(self, prefix: str) -> None:
        """Removes what a crash left half written below a prefix that nobody writes to."""
        ...

    async def delete(self, key: str) -> None:
        """Removes one; nothing where there is none."""
        ...

    async def delete_all(self, prefix: str) -> None:
        """Removes all below a prefix."""
        ...

    def file(self, key: str) -> Path:
        """Where a segment lies, for a process that reads it by itself."""
        ...

    async def bench(self, recording_id: str) -> Path:
        """An empty folder for what is made of a recording; it goes with it."""
        ...


class Blobs(Protocol):
    """Keeps lasting files by key: words as in a spool, then an extension. Raises UnavailableError where it can't."""

    async def put_file(self, key: str, file: Path) -> None:
        """Keeps a copy of `file`, whole; it survives a crash once this returns. Replaces what was there."""
        ...

    async def read(self, key: str, first: int, count: int) -> bytes:
        """Bytes of what is kept there; fewer at its end.

        Raises:
            NotFoundError: nothing is.
        """
        ...

    async def fetch(self, key: str, file: Path) -> None:
        """Copies what is kept there into a new file.

        Raises:
            NotFoundError: nothing is.
        """
        ...

    def local(self, key: str) -> Path | None:
        """Where it lies on this machine, if it does; to be read only."""
        ...

    async def keys(self, prefix: str) -> list[str]:
        """The keys below a prefix; all where it is empty."""
        ...

    async def delete_all(self, prefix: str) -> None:
        """Removes all below a prefix."""
        ...

    async def link(self, key: str, lifetime_s: int, content_type: str, name: str) -> str:
        """An address that plays it without us for so long; empty where this store gives none."""
        ...


def segment_key(recording_id: str, track: Track, first_sample: int) -> str:
    """Where a segment is kept: the same sound, sent again, lands in the same place."""
    return f"{recording_id}/{track.value}/{first_sample:012d}"


def file_key(recording_id: str, name: str) -> str:
    """Where a lasting file is kept."""
    return f"{recording_id}/{name}"
