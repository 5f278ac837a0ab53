"""Keeps lasting files in a folder of this machine."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from mesh.errors import NotFoundError, UnavailableError
from mesh.workers import Workers
from services.media.blobs.files import PART, below, delete_tree, write

T = TypeVar("T")


class LocalBlobs:
    """`Blobs` in a folder."""

    def __init__(self, folder: Path, threads: Workers) -> None:
        self._folder = folder
        self._threads = threads

    async def put_file(self, key: str, file: Path) -> None:
        """See `Blobs`."""
        await self._run(_copy_in, file, below(self._folder, key))

    async def read(self, key: str, first: int, count: int) -> bytes:
        """See `Blobs`."""
        return await self._run(_read, below(self._folder, key), first, count)

    async def fetch(self, key: str, file: Path) -> None:
        """See `Blobs`."""
        await self._run(shutil.copyfile, below(self._folder, key), file)

    def local(self, key: str) -> Path | None:
        """See `Blobs`."""
        return below(self._folder, key)

    async def keys(self, prefix: str) -> list[str]:
        """See `Blobs`."""
        return await self._run(_keys, self._folder, below(self._folder, prefix) if prefix else self._folder)

    async def delete_all(self, prefix: str) -> None:
        """See `Blobs`."""
        await self._run(delete_tree, below(self._folder, prefix))

    async def link(self, key: str, lifetime_s: int, content_type: str, name: str) -> str:
        """See `Blobs`: none, for a folder serves nobody."""
        return ""

    async def _run(self, work: Callable[..., T], *arguments: object) -> T:
        try:
            return await self._threads.run(work, *arguments)
        except FileNotFoundError:
            raise NotFoundError("This file is not kept any more.") from None
        except OSError as error:
            raise UnavailableError(
                "The folder of the archive can't be read or written; see that its disk is there and not full."
            ) from error


def _copy_in(file: Path, place: Path) -> None:
    with file.open("rb") as source:
        write(place, lambda written: shutil.copyfileobj(source, written))


def _read(file: Path, first: int, count: int) -> bytes:
    with file.open("rb") as source:
        source.seek(first)
        return source.read(count)


def _keys(folder: Path, place: Path) -> list[str]:
    files = (file for file in place.rglob("*") if file.is_file() and file.suffix != PART)
    return sorted(str(file.relative_to(folder)) for file in files)
