"""Serves the built web client: its files, and its page at every address that a person may open there."""

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

_PAGE: Final = "index.html"
#: Files here have their content's hash in their name.
_KEPT_FOR_GOOD: Final = "assets/"
_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}
_COMPRESSED: Final = frozenset(_TYPES) - {".png"}


@dataclass(frozen=True, slots=True)
class _File:
    content: bytes
    #: The same for whoever reads gzip; empty where that saves nothing.
    zipped: bytes
    headers: dict[str, str]


class WebClient:
    """The client built into `folder`, held in memory: it is smaller than one session's sound."""

    def __init__(self, folder: Path) -> None:
        """Reads and compresses everything. Blocks.

        Raises:
            FileNotFoundError: the client was not built; `make web` does it.
            KeyError: there is a file whose type is not known here.
        """
        names = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
        if _PAGE not in names:
            raise FileNotFoundError(f"{folder / _PAGE} is missing; `make web` builds it.")
        self._files = {name: _read(path, name) for name, path in names.items()}

    async def serve(self, request: Request) -> Response:
        """A file of the client; where there is none and a person asks, its page, which knows its addresses."""
        file = self._files.get(request.path_params["path"] or _PAGE)
        if file is None and "text/html" in request.headers.get("accept", ""):
            file = self._files[_PAGE]
        if file is None:
            raise HTTPException(404, "There is nothing at this address.")
        if request.headers.get("if-none-match") == file.headers["etag"]:
            return Response(status_code=304, headers=file.headers)
        zips = "gzip" in request.headers.get("accept-encoding", "")
        if zips and file.zipped:
            return Response(file.zipped, headers={**file.headers, "content-encoding": "gzip"})
        return Response(file.content, headers=file.headers)


def _read(path: Path, name: str) -> _File:
    content = path.read_bytes()
    kept = name.startswith(_KEPT_FOR_GOOD)
    headers = {
        "content-type": _TYPES[path.suffix],
        "cache-control": "public, max-age=31536000, immutable" if kept else "no-cache",
        "etag": f'"{hashlib.sha256(content).hexdigest()[:32]}"',
        "vary": "accept, accept-encoding",
    }
    zipped = gzip.compress(content, mtime=0) if path.suffix in _COMPRESSED else b""
    return _File(content, zipped, headers)
