"""Reads the lasting files of archived recordings, whole and checked, or a range of their bytes."""

import hashlib
import logging
from pathlib import Path
from typing import Final

from mesh.errors import NotFoundError, VivavoceError
from mesh.workers import Workers
from services.media.domain.recordings import KeptFile, Library
from services.media.domain.stores import Blobs, file_key
from services.media.shelf import Shelf

_BLOCK: Final = 1 << 20

_log: Final = logging.getLogger(__name__)


class LastingFiles:
    """The files of the archive. What a store elsewhere keeps is fetched to the shelf before it is read whole."""

    def __init__(self, *, blobs: Blobs, library: Library, shelf: Shelf, threads: Workers) -> None:
        self._blobs = blobs
        self._library = library
        self._shelf = shelf
        self._threads = threads

    async def find(self, recording_id: str, name: str) -> KeptFile | None:
        """What is known of a file; None where there is none, as of a track without sound."""
        return (await self._library.files(recording_id)).get(name)

    async def whole(self, recording_id: str, file: KeptFile) -> Path:
        """Where it can be read on this machine; its sum was checked.

        Raises:
            VivavoceError: it is damaged.
            UnavailableError: the store is away.
        """
        key = file_key(recording_id, file.name)

        async def fetch(place: Path) -> None:
            await self._blobs.fetch(key, place)
            await self._check(recording_id, file, place)

        local = self._blobs.local(key)
        if local is None:
            return await self._shelf.file(f"{recording_id}.{file.name}", fetch)
        await self._check(recording_id, file, local)
        return local

    async def read(self, recording_id: str, file: KeptFile, first: int, count: int) -> bytes:
        """Bytes of it. A range alone has no sum to check."""
        return await self._blobs.read(file_key(recording_id, file.name), first, count)

    async def link(self, recording_id: str, file: KeptFile, lifetime_s: int, content_type: str) -> str:
        """An address of the store's own that plays it; empty where it gives none."""
        key = file_key(recording_id, file.name)
        return await self._blobs.link(key, lifetime_s, content_type, f"{recording_id}.{file.name}")

    async def _check(self, recording_id: str, file: KeptFile, place: Path) -> None:
        try:
            sha256 = await self._threads.run(_sum, place)
        except FileNotFoundError:
            raise NotFoundError("This recording is not kept any more.") from None
        if sha256 != file.sha256:
            _log.error("file damaged", extra={"recording_id": recording_id, "file_name": file.name})
            raise VivavoceError("A part of the recording is damaged in the store; restore it from a backup.")


def _sum(file: Path) -> str:
    sha256 = hashlib.sha256()
    with file.open("rb") as read:
        while block := read.read(_BLOCK):
            sha256.update(block)
    return sha256.hexdigest()
