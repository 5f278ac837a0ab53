"""Keeps blobs as files below a folder."""

import hashlib
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from mesh.errors import InvalidFieldError, UnavailableError
from mesh.workers import Workers

T = TypeVar("T")

_SUFFIX: Final = ".pcm"
_PART: Final = ".part"
_KEY: Final = re.compile(r"[a-z0-9_]+(/[a-z0-9_]+)*")


class LocalBlobs:
    """`Blobs` in a folder of this machine. A file is written beside its place, brought to disk, then renamed."""

    def __init__(self, folder: Path, threads: Workers) -> None:
        self._folder = folder
        self._threads = threads

    async def put(self, key: str, content: bytes) -> str:
        """See `Blobs`."""
        return await self._run(_put, self._file(key), content)

    async def get(self, key: str) -> bytes:
        """See `Blobs`."""
        return await self._run(Path.read_bytes, self._file(key))

    async def keys(self, prefix: str) -> list[str]:
        """See `Blobs`."""
        return await self._run(_keys, self._folder, self._below(prefix))

    async def tidy(self, prefix: str) -> None:
        """See `Blobs`."""
        await self._run(_delete_parts, self._below(prefix))

    async def delete(self, key: str) -> None:
        """See `Blobs`."""
        await self._run(_delete, self._file(key))

    async def delete_all(self, prefix: str) -> None:
        """See `Blobs`."""
        await self._run(_delete_tree, self._below(prefix))

    async def _run(self, work: Callable[..., T], *arguments: object) -> T:
        try:
            return await self._threads.run(work, *arguments)
        except OSError as error:
            raise UnavailableError(
                "The folder of recordings can't be read or written; see that its disk is there and not full."
            ) from error

    def _file(self, key: str) -> Path:
        below = self._below(key)
        return below.with_name(below.name + _SUFFIX)

    def _below(self, prefix: str) -> Path:
        # Keys are made from ids that clients chose: none may lead out of the folder.
        if not _KEY.fullmatch(prefix):
            raise InvalidFieldError("An id of a recording has only the characters a-z, 0-9 and _.")
        return self._folder / prefix


def _put(file: Path, content: bytes) -> str:
    _make_folder(file.parent)
    part = file.with_name(file.name + _PART)
    with part.open("wb") as written:
        written.write(content)
        written.flush()
        os.fsync(written.fileno())
    part.replace(file)
    _sync_folder(file.parent)
    return hashlib.sha256(content).hexdigest()


def _make_folder(folder: Path) -> None:
    """Makes a folder and those above it, each name of which must reach the disk too."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _keys(folder: Path, below: Path) -> list[str]:
    return sorted(str(file.relative_to(folder)).removesuffix(_SUFFIX) for file in below.rglob(f"*{_SUFFIX}"))


def _delete_parts(below: Path) -> None:
    for part in below.rglob(f"*{_PART}"):
        part.unlink(missing_ok=True)


def _delete(file: Path) -> None:
    file.unlink(missing_ok=True)


def _delete_tree(folder: Path) -> None:
    if folder.is_dir():
        shutil.rmtree(folder)
