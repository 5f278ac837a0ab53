"""Keeps files that can be made again, such as slow replays, up to so many bytes; that used longest ago goes first."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from mesh.errors import UnavailableError
from mesh.workers import Workers
from services.media.blobs.files import PART, make_folder

TOGETHER: Final = "together"

#: Whoever was given a file has so long to open it before it may go.
_GRACE_S: Final = 60.0
_LOCKS: Final = 64


class Shelf:
    """Files by name, which begins with a recording's id and a dot, or with `TOGETHER` where it is made of several.

    Each is made once, however many ask for it.
    """

    def __init__(self, folder: Path, threads: Workers, most_bytes: int) -> None:
        self._folder = folder
        self._threads = threads
        self._most_bytes = most_bytes
        # Names that share one only wait for each other.
        self._making = [asyncio.Lock() for _ in range(_LOCKS)]

    async def file(self, name: str, make: Callable[[Path], Awaitable[None]]) -> Path:
        """The file of that name; `make` fills it where there is none."""
        place = self._folder / name
        async with self._making[hash(name) % _LOCKS]:
            if not await self._run(_touched, place):
                part = place.with_name(place.name + PART)
                await self._run(make_folder, self._folder)
                await make(part)
                await self._run(part.replace, place)
                await self._run(_trim, self._folder, self._most_bytes)
        return place

    async def drop(self, recording_id: str) -> None:
        """Removes all that was made of a recording, and what is made of several: it may be among them."""
        await self._run(_drop, self._folder, recording_id)

    async def _run(self, work: Callable[..., object], *arguments: object) -> object:
        try:
            return await self._threads.run(work, *arguments)
        except OSError as error:
            raise UnavailableError("The folder for playing can't be written; see that its disk is not full.") from error


def _touched(file: Path) -> bool:
    """Whether it is there; it was used just now."""
    try:
        os.utime(file)
    except FileNotFoundError:
        return False
    return True


def _trim(folder: Path, most_bytes: int) -> None:
    files = sorted((file.stat().st_mtime, file.stat().st_size, file) for file in folder.iterdir() if file.is_file())
    over = sum(size for _, size, _ in files) - most_bytes
    newest = files[-1][0] if files else 0.0
    for used_at, size, file in files:
        if over <= 0 or used_at > newest - _GRACE_S:
            return
        file.unlink(missing_ok=True)
        over -= size


def _drop(folder: Path, recording_id: str) -> None:
    for pattern in (f"{recording_id}.*", f"{TOGETHER}.*"):
        for file in folder.glob(pattern):
            file.unlink(missing_ok=True)
