"""Keeps segments on the disk of this machine until they are archived, and never more than it may."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from mesh.errors import OverloadedError, UnavailableError
from mesh.telemetry import record_spool
from mesh.workers import Workers
from services.media.blobs.files import below, delete_parts, delete_tree, make_folder, size_of, write

T = TypeVar("T")

_SUFFIX: Final = ".pcm"
_BENCH: Final = "made"
#: Beyond this share no recording begins: the rest is for those that are being made.
_FOR_NEW: Final = 0.8


class LocalSpool:
    """`Spool` in a folder. Open it before use: it counts what is there."""

    def __init__(self, folder: Path, threads: Workers, most_bytes: int) -> None:
        self._folder = folder
        self._threads = threads
        self._most_bytes = most_bytes
        self.used_bytes = 0

    async def open(self) -> None:
        """Counts what a former run left."""
        self._count(await self._run(size_of, self._folder))

    def check_room(self) -> None:
        """See `Spool`."""
        if self.used_bytes >= self._most_bytes * _FOR_NEW:
            raise OverloadedError(
                "Too many recordings wait for the store; see that it answers, or give VIVAVOCE_MEDIA_SPOOL_MB more."
            )

    async def put(self, key: str, content: bytes) -> str:
        """See `Spool`."""
        if self.used_bytes + len(content) > self._most_bytes:
            raise OverloadedError("The disk for recordings is full; see that the store answers.")
        sha256, replaced = await self._run(_put, self.file(key), content)
        self._count(len(content) - replaced)
        return sha256

    async def get(self, key: str) -> bytes:
        """See `Spool`."""
        return await self._run(Path.read_bytes, self.file(key))

    async def keys(self, prefix: str) -> list[str]:
        """See `Spool`."""
        return await self._run(_keys, self._folder, below(self._folder, prefix))

    async def recordings(self) -> list[str]:
        """See `Spool`."""
        return await self._run(_folders, self._folder)

    async def tidy(self, prefix: str) -> None:
        """See `Spool`."""
        await self._run(delete_parts, below(self._folder, prefix))

    async def delete(self, key: str) -> None:
        """See `Spool`."""
        self._count(-await self._run(_delete, self.file(key)))

    async def delete_all(self, prefix: str) -> None:
        """See `Spool`."""
        # What was made of it was never counted.
        await self._run(delete_tree, below(self._folder, prefix) / _BENCH)
        self._count(-await self._run(delete_tree, below(self._folder, prefix)))

    def file(self, key: str) -> Path:
        """See `Spool`."""
        place = below(self._folder, key)
        return place.with_name(place.name + _SUFFIX)

    async def bench(self, recording_id: str) -> Path:
        """See `Spool`."""
        return await self._run(_emptied, below(self._folder, recording_id) / _BENCH)

    def _count(self, change: int) -> None:
        self.used_bytes += change
        record_spool(self.used_bytes)

    async def _run(self, work: Callable[..., T], *arguments: object) -> T:
        try:
            return await self._threads.run(work, *arguments)
        except OSError as error:
            raise UnavailableError(
                "The folder of recordings can't be read or written; see that its disk is there and not full."
            ) from error


def _put(file: Path, content: bytes) -> tuple[str, int]:
    """The sum, and how many bytes lay there before."""
    replaced = file.stat().st_size if file.exists() else 0
    write(file, lambda written: written.write(content))
    return hashlib.sha256(content).hexdigest(), replaced


def _keys(folder: Path, place: Path) -> list[str]:
    return sorted(str(file.relative_to(folder)).removesuffix(_SUFFIX) for file in place.rglob(f"*{_SUFFIX}"))


def _folders(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir() if each.is_dir()) if folder.is_dir() else []


def _delete(file: Path) -> int:
    try:
        size = file.stat().st_size
        file.unlink()
    except FileNotFoundError:
        return 0
    return size


def _emptied(folder: Path) -> Path:
    delete_tree(folder)
    make_folder(folder)
    return folder
