"""Finds or makes the file that a link plays."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mesh.errors import NotFoundError, UnavailableError
from mesh.workers import Workers
from services.media.domain.playback import PAUSE_S, Playback, Stretch, stretches
from services.media.domain.recordings import KeptRecording, Library
from services.media.lasting import LastingFiles
from services.media.shelf import TOGETHER, Shelf
from services.media.sound.formats import FORMATS
from services.media.sound.jobs import Bounds, Convert, Part
from services.media.workshop import Workshop

#: Recordings of one conversation that are put together at most.
_MOST_SESSIONS: Final = 100


@dataclass(frozen=True, slots=True)
class Playable:
    """A file that is played, and how bytes of it are read: from one, so many."""

    size_bytes: int
    content_type: str
    name: str
    read: Callable[[int, int], Awaitable[bytes]]


class Player:
    """Plays archived recordings. What is asked for often, such as a slow replay, is made once and kept a while."""

    def __init__(
        self,
        *,
        library: Library,
        lasting: LastingFiles,
        shelf: Shelf,
        workshop: Workshop,
        bounds: Bounds,
        threads: Workers,
    ) -> None:
        self._library = library
        self._lasting = lasting
        self._shelf = shelf
        self._workshop = workshop
        self._bounds = bounds
        self._threads = threads

    async def parts(self, playback: Playback) -> list[Stretch]:
        """What it is made of.

        Raises:
            NotFoundError: there is no such recording of that person, no such line, or no sound.
            UnavailableError: it is not archived yet.
        """
        recordings = await self._recordings(playback)
        if not all(known.recording.archived for known in recordings):
            raise UnavailableError("The recording is still being prepared for playing; try again in a few seconds.")
        lines = await self._library.lines(playback.recording_id) if playback.line_id else []
        ids = [
            known.recording.recording_id for known in recordings if any(each.samples for each in known.kept.values())
        ]
        if not ids:
            raise NotFoundError("Nothing was recorded of it.", field="recording_id")
        return stretches(playback, ids, lines)

    async def open(self, playback: Playback) -> Playable:
        """The file, made where there is none yet.

        Raises:
            NotFoundError, UnavailableError: as `parts`.
            OverloadedError: too much waits to be made.
        """
        parts = await self.parts(playback)
        content_type = FORMATS[playback.format].content_type
        if name := playback.file:
            recording_id = playback.recording_id
            file = await self._lasting.find(recording_id, name)
            if file is None:
                raise NotFoundError("This track has no sound.", field="track")
            found = file

            async def read(first: int, count: int) -> bytes:
                return await self._lasting.read(recording_id, found, first, count)

            return Playable(file.size_bytes, content_type, playback.name, read)
        return await self._made(playback, parts, content_type)

    async def link(self, playback: Playback, lifetime_s: int) -> str:
        """An address of the store's own; empty where there is none, or the file has to be made.

        Raises:
            NotFoundError, UnavailableError: as `parts`.
        """
        await self.parts(playback)
        if not playback.file:
            return ""
        file = await self._lasting.find(playback.recording_id, playback.file)
        if file is None:
            raise NotFoundError("This track has no sound.", field="track")
        return await self._lasting.link(playback.recording_id, file, lifetime_s, FORMATS[playback.format].content_type)

    async def _recordings(self, playback: Playback) -> list[KeptRecording]:
        if playback.conversation_id:
            found = await self._library.page(playback.user_id, playback.conversation_id, None, _MOST_SESSIONS)
            if not found:
                raise NotFoundError("Nothing was recorded of this conversation.", field="conversation_id")
            return found[::-1]
        known = await self._library.find(playback.user_id, playback.recording_id)
        if known is None:
            raise NotFoundError("You have no such recording; list yours to find its id.", field="recording_id")
        return [known]

    async def _made(self, playback: Playback, parts: list[Stretch], content_type: str) -> Playable:
        async def make(place: Path) -> None:
            sources = [await self._source(part) for part in parts]
            job = Convert(
                tuple(sources),
                str(place),
                playback.format,
                normalize=bool(playback.line_id),
                speed=playback.speed,
                pause_s=PAUSE_S if playback.line_id else 0.0,
            )
            await self._workshop.make(job, self._bounds)

        # By what it is made of: a conversation that went on is another file.
        sum_ = hashlib.sha256(f"{playback.write()}{parts}".encode()).hexdigest()[:32]
        place = await self._shelf.file(f"{playback.recording_id or TOGETHER}.{sum_}", make)
        size_bytes = await self._threads.run(_size, place)

        async def read(first: int, count: int) -> bytes:
            return await self._threads.run(_read, place, first, count)

        return Playable(size_bytes, content_type, playback.name, read)

    async def _source(self, part: Stretch) -> Part:
        file = await self._lasting.find(part.recording_id, part.file)
        if file is None:
            raise NotFoundError("This track has no sound.", field="track")
        place = await self._lasting.whole(part.recording_id, file)
        return Part(str(place), from_sample=part.from_sample, to_sample=part.to_sample)


def _size(file: Path) -> int:
    return file.stat().st_size


def _read(file: Path, first: int, count: int) -> bytes:
    with file.open("rb") as opened:
        opened.seek(first)
        return opened.read(count)
