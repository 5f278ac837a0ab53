"""Writes a ZIP file piece by piece, no larger than is allowed, whole or not at all."""

import os
import threading
import zipfile
from contextlib import suppress
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import IO, Final

from mesh.errors import ExhaustedError, VivavoceError

#: Files that gain nothing from being packed: they are packed already.
_PACKED: Final = frozenset({".flac", ".opus", ".ogg", ".mp3", ".m4a", ".zip", ".png"})
_LONGEST_NAME: Final = 300


class Archive:
    """Stands at its path once it is finished; until then, beside it. Every method blocks: call it in a thread."""

    def __init__(self, path: Path, most_bytes: int, time: datetime) -> None:
        self._path = path
        self._part = path.with_suffix(".part")
        self._left = most_bytes
        self._time = time
        self._names: set[str] = set()
        self._name = ""
        self._open: IO[bytes] | None = None
        # Who gives up does not wait for the thread that still writes.
        self._alone = threading.Lock()
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = os.fdopen(os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
        self._zip = zipfile.ZipFile(self._file, "w", zipfile.ZIP_DEFLATED, compresslevel=6)

    def write(self, name: str, piece: bytes) -> None:
        """Appends a piece to the file `name`, which is begun where the one before had another name.

        Raises:
            ExhaustedError: the archive would hold more than is allowed.
            VivavoceError: the name leads out of the archive, or was used before.
        """
        with self._alone:
            self._left -= len(piece)
            if self._left < 0:
                raise ExhaustedError(
                    "There is more to export than this installation allows at once; ask its operator to raise "
                    "VIVAVOCE_USER_EXPORT_BYTES, or delete recordings you do not need."
                )
            if name != self._name:
                self._begin(name)
            assert self._open is not None, "a name was begun"
            self._open.write(piece)

    def finish(self, time: datetime) -> None:
        """Puts the archive in its place, as one of this time."""
        with self._alone:
            self._end()
            self._zip.close()
            self._file.close()
            os.utime(self._part, (time.timestamp(), time.timestamp()))
            self._part.replace(self._path)

    def discard(self) -> None:
        """Leaves nothing of it."""
        with self._alone:
            self._part.unlink(missing_ok=True)
            # Closed in vain, but in order: a full disk fails here once more.
            for close in (self._end, self._zip.close, self._file.close):
                with suppress(OSError):
                    close()

    def _begin(self, name: str) -> None:
        self._end()
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or "\\" in name or not 0 < len(name) <= _LONGEST_NAME:
            raise VivavoceError("A service named a file of the export so that it would lie outside of the archive.")
        if str(path) in self._names:
            raise VivavoceError("A service came back to a file of the export that had ended.")
        self._names.add(str(path))
        described = zipfile.ZipInfo(str(path), self._time.timetuple()[:6])
        described.compress_type = zipfile.ZIP_STORED if path.suffix in _PACKED else zipfile.ZIP_DEFLATED
        described.external_attr = 0o600 << 16
        self._open = self._zip.open(described, "w", force_zip64=True)
        self._name = name

    def _end(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None
