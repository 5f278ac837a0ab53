"""Tries a store out: whether it keeps what it is given, gives it back, and refuses what it should refuse."""

import asyncio
import dataclasses
import os
import tempfile
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mesh.errors import UnavailableError, VivavoceError
from mesh.ids import new_id
from services.media.blobs.opening import open_s3
from services.media.blobs.s3 import PART_BYTES, S3Blobs
from services.media.settings import Settings

_SMALL: Final = b"0123456789"
_LINK_S: Final = 60
#: A link that ends at once; stores count whole seconds.
_SHORT_LINK_S: Final = 1
_WAIT_S: Final = 2.5
_CALL_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Probe:
    """One thing tried, and what came of it; empty where it was as it should be."""

    name: str
    fault: str = ""


async def probe(settings: Settings) -> AsyncIterator[Probe]:
    """Tries a bucket out, below a prefix of its own, and leaves nothing there.

    Raises:
        InvalidFieldError: a setting makes no sense.
    """
    settings = dataclasses.replace(settings, s3_prefix=f"{settings.s3_prefix}{new_id('probe')}/")
    with tempfile.TemporaryDirectory() as folder:
        async with open_s3(settings) as blobs:
            probes = _Probes(settings, blobs, Path(folder))
            for name, attempt in probes.all():
                yield await _tried(name, attempt)


async def _tried(name: str, attempt: Callable[[], Awaitable[str]]) -> Probe:
    try:
        return Probe(name, await attempt())
    except VivavoceError as error:
        return Probe(name, error.message)


class _Probes:
    """The attempts, in order; each says what was wrong."""

    def __init__(self, settings: Settings, blobs: S3Blobs, folder: Path) -> None:
        self._settings = settings
        self._blobs = blobs
        self._folder = folder

    def all(self) -> list[tuple[str, Callable[[], Awaitable[str]]]]:
        return [
            ("keeps a file", self._puts),
            ("gives a range of it", self._reads),
            ("keeps a large file in parts", self._puts_in_parts),
            ("lists them", self._lists),
            ("plays by a link", self._plays),
            ("refuses a link whose time is over", self._ends),
            ("refuses who has no link", self._hides),
            ("refuses a wrong secret", self._refuses_stranger),
            ("refuses a damaged body", self._refuses_damage),
            ("deletes all of it", self._deletes),
        ]

    async def _puts(self) -> str:
        await self._blobs.put_file("probe/small.opus", self._file(_SMALL))
        return ""

    async def _reads(self) -> str:
        part = await self._blobs.read("probe/small.opus", 2, 3)
        return "" if part == _SMALL[2:5] else "other bytes came back"

    async def _puts_in_parts(self) -> str:
        content = os.urandom(PART_BYTES + 1000)
        await self._blobs.put_file("probe/large.opus", self._file(content))
        await self._blobs.fetch("probe/large.opus", self._folder / "back")
        return "" if (self._folder / "back").read_bytes() == content else "other bytes came back"

    async def _lists(self) -> str:
        keys = await self._blobs.keys("probe")
        return "" if keys == ["probe/large.opus", "probe/small.opus"] else f"{len(keys)} files instead of 2"

    async def _plays(self) -> str:
        status, content = await _got(await self._link(_LINK_S))
        return "" if (status, content) == (200, _SMALL) else f"answered {status}"

    async def _ends(self) -> str:
        link = await self._link(_SHORT_LINK_S)
        await asyncio.sleep(_WAIT_S)
        return await _refused(link)

    async def _hides(self) -> str:
        return await _refused((await self._link(_LINK_S)).partition("?")[0])

    async def _refuses_stranger(self) -> str:
        async with open_s3(dataclasses.replace(self._settings, s3_secret_key="wrong")) as stranger:
            try:
                await stranger.read("probe/small.opus", 0, 1)
            except UnavailableError:
                return ""
        return "it let a stranger in"

    async def _refuses_damage(self) -> str:
        try:
            await self._blobs.put_damaged("probe/damaged.opus", _SMALL)
        except UnavailableError as error:
            return "" if "Digest" in error.metadata.get("s3_code", "") else error.message
        return "it kept a body that does not fit its sum"

    async def _deletes(self) -> str:
        await self._blobs.delete_all("probe")
        keys = await self._blobs.keys("probe")
        return f"{len(keys)} files are still there" if keys else ""

    async def _link(self, lifetime_s: int) -> str:
        return await self._blobs.link("probe/small.opus", lifetime_s, "audio/ogg", "small.opus")

    def _file(self, content: bytes) -> Path:
        file = self._folder / "file"
        file.write_bytes(content)
        return file


async def _refused(link: str) -> str:
    status, _ = await _got(link)
    return "" if status in (400, 401, 403) else f"answered {status}"


async def _got(link: str) -> tuple[int, bytes]:
    return await asyncio.to_thread(_get, link)


def _get(link: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(link, timeout=_CALL_S) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, b""
    except OSError as error:
        raise UnavailableError(f"The link can't be followed: {type(error).__name__}.") from None
