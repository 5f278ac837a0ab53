"""Gathers all that is kept about a person into an archive, and hands it out for an hour."""

import asyncio
import json
import logging
import re
import shutil
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, Protocol, Self

from mesh.clock import Clock
from mesh.errors import NotFoundError, OverloadedError, UnavailableError
from mesh.ids import new_id
from mesh.workers import Workers
from services.user.archive import Archive
from services.user.domain.deletions import SERVICES

HOLDS_S: Final = 3600.0
#: People whose archives are made at the same time.
_AT_ONCE: Final = 2
_PIECE_BYTES: Final = 256 * 1024
_ID: Final = re.compile(r"(usr|exp)_[0-9a-z_]+")

_log: Final = logging.getLogger(__name__)


class Own(Protocol):
    """What the user service itself keeps."""

    async def of(self, user_id: str) -> dict[str, list[dict[str, Any]]]:
        """The person's rows, by table."""
        ...


class Others(Protocol):
    """What the other services keep."""

    def export(self, service: str, user_id: str) -> AsyncGenerator[tuple[str, bytes], None]:
        """Path and piece, file after file."""
        ...


class Exports:
    """Use as `async with`. A person's archive lies below a folder of their own; a new one takes the old one's place."""

    def __init__(self, folder: Path, *, own: Own, others: Others, most_bytes: int, clock: Clock) -> None:
        self._folder = folder
        self._own = own
        self._others = others
        self._most_bytes = most_bytes
        self._clock = clock
        self._threads = Workers("exports", threads=_AT_ONCE, queue=64)
        self._making: dict[str, asyncio.Task[str]] = {}

    async def __aenter__(self) -> Self:
        """Does nothing yet."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Drops what is being made."""
        for task in list(self._making.values()):
            task.cancel()
        if self._making:
            await asyncio.wait(list(self._making.values()))
        await self._threads.close()

    async def make(self, user_id: str) -> str:
        """The id of an archive as of now. Cancelling leaves it being made; the next call joins.

        Raises:
            OverloadedError: others' archives are being made.
            ExhaustedError: it would be larger than is allowed.
            VivavoceError: a service could not give out what it keeps.
        """
        task = self._making.get(user_id)
        if task is None:
            if len(self._making) >= _AT_ONCE:
                raise OverloadedError("Other people's archives are being made; try again in a minute.")
            task = self._making[user_id] = asyncio.create_task(self._make(user_id), name="export")
            task.add_done_callback(lambda _: self._made(user_id))
        return await asyncio.shield(task)

    async def pieces(self, user_id: str, export_id: str) -> AsyncGenerator[bytes, None]:
        """The archive in pieces of at most 256 KiB.

        Raises:
            NotFoundError: it is another's, or its hour is over.
        """
        not_before = self._clock.wall().timestamp() - HOLDS_S
        with await self._threads.run(_opened, self._path(user_id, export_id), not_before) as file:
            while piece := await self._threads.run(file.read, _PIECE_BYTES):
                yield piece

    async def remove(self, user_id: str) -> None:
        """Removes what was exported of a person who is no more, and drops what is being made."""
        if task := self._making.get(user_id):
            task.cancel()
            await asyncio.wait([task])
        await self._threads.run(_remove, self._folder / _checked(user_id))

    async def sweep(self, now_us: int) -> int:
        """Removes archives whose hour is over, and what a process that died left half made; how many."""
        making = frozenset(self._making)
        return await self._threads.run(_sweep, self._folder, now_us / 1_000_000 - HOLDS_S, making)

    async def _make(self, user_id: str) -> str:
        export_id, now = new_id("exp"), self._clock.wall()
        path = self._path(user_id, export_id)
        try:
            await self._write(path, user_id, now)
            await self._threads.run(_remove_others, path)
        except OSError as error:
            raise UnavailableError(
                "The archive can't be written; see that the disk of the data folder is there and not full."
            ) from error
        _log.info("person exported", extra={"user_id": user_id, "export_id": export_id})
        return export_id

    async def _write(self, path: Path, user_id: str, now: datetime) -> None:
        archive = await self._threads.run(Archive, path, self._most_bytes, now)
        try:
            async with aclosing(self._files(user_id, now)) as pieces:
                async for name, piece in pieces:
                    await self._threads.run(archive.write, name, piece)
            await self._threads.run(archive.finish, self._clock.wall())
        except BaseException:
            await self._threads.run(archive.discard)
            raise

    async def _files(self, user_id: str, now: datetime) -> AsyncGenerator[tuple[str, bytes], None]:
        about = files("services.user").joinpath("export_readme.txt").read_text("utf-8")
        yield "README.txt", f"{now:%Y-%m-%d %H:%M} UTC\n\n{about}".encode()
        for table, rows in (await self._own.of(user_id)).items():
            yield f"user/{table}.json", json.dumps(rows, ensure_ascii=False, indent=1).encode()
        for service in SERVICES:
            async with aclosing(self._others.export(service, user_id)) as pieces:
                async for path, piece in pieces:
                    yield f"{service}/{path}", piece

    def _made(self, user_id: str) -> None:
        task = self._making.pop(user_id)
        if not task.cancelled():
            task.exception()  # Taken note of, for a caller that was cancelled meanwhile.

    def _path(self, user_id: str, export_id: str) -> Path:
        return self._folder / _checked(user_id) / f"{_checked(export_id)}.zip"


def _checked(name: str) -> str:
    if not _ID.fullmatch(name):
        raise _not_found()
    return name


def _opened(path: Path, not_before: float) -> BinaryIO:
    try:
        if path.stat().st_mtime < not_before:
            raise _not_found()
        return path.open("rb")
    except FileNotFoundError:
        raise _not_found() from None


def _not_found() -> NotFoundError:
    return NotFoundError("There is no such archive of yours; export again, and fetch it within an hour.")


def _remove_others(path: Path) -> None:
    for other in path.parent.glob("*.zip"):
        if other != path:
            other.unlink(missing_ok=True)


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def _sweep(folder: Path, not_before: float, making: frozenset[str]) -> int:
    due = [path for path in folder.glob("*/*") if path.parent.name not in making and path.stat().st_mtime < not_before]
    for path in due:
        path.unlink(missing_ok=True)
    return len(due)
