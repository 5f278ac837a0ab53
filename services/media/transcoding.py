"""Changes sound that people send: takes it in, has it done, gives it back in pieces."""

import asyncio
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from vivavoce.media.v1 import media_pb2 as media_pb
from vivavoce.media.v1 import media_service_pb2 as service_pb

from mesh.errors import BadAudioError, ExhaustedError, InvalidFieldError, PreconditionError
from mesh.streams import DuplexStream
from mesh.workers import Workers
from services.media.sound.formats import FORMATS, RAW_MULAW
from services.media.sound.jobs import Bounds, Convert, Made, Part
from services.media.workshop import Workshop

Stream = DuplexStream[service_pb.TranscodeFileResponse, service_pb.TranscodeFileRequest]

LARGEST_FILE_BYTES: Final = 64 * 1024 * 1024
#: What fits a message, with room for the rest of it.
LARGEST_ANSWER_BYTES: Final = 8 * 1024 * 1024 - 1024
_PIECE_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be made of a file."""

    format: str
    changes: media_pb.SoundChanges


class Transcoding:
    """Transcodes, each call in a folder of its own, which goes with it."""

    def __init__(self, *, workshop: Workshop, bounds: Bounds, folder: Path, threads: Workers) -> None:
        self._workshop = workshop
        self._bounds = bounds
        self._folder = folder
        self._threads = threads

    async def at_once(self, content: bytes, wanted: Wanted) -> service_pb.TranscodeResponse:
        """Of a whole file the whole answer.

        Raises:
            BadAudioError: it can't be read, or is out of bounds.
            ExhaustedError: what was made does not fit an answer.
            OverloadedError: too much waits.
        """
        async with self._desk() as desk:
            await self._threads.run((desk / "source").write_bytes, content)
            made = await self._workshop.make(_job(desk, wanted), self._bounds)
            if made[0].size_bytes > LARGEST_ANSWER_BYTES:
                raise ExhaustedError("What was made is over 8 MiB; use TranscodeFile.")
            changed = await self._threads.run((desk / "target").read_bytes)
        return service_pb.TranscodeResponse(content=changed, sound=_sound(made[0], wanted))

    async def of_stream(self, stream: Stream) -> None:
        """Of a file that comes in pieces: how far it is, what was made, and the file.

        Raises:
            PreconditionError: the first message does not say what is wanted, or a later one does.
            BadAudioError, OverloadedError: as `at_once`.
        """
        first = await anext(stream, None)
        if first is None or first.WhichOneof("part") != "start_transcoding":
            raise PreconditionError("Send start_transcoding as the first message of the stream.")
        wanted = Wanted(first.start_transcoding.format, first.start_transcoding.changes)
        if wanted.format not in FORMATS:
            raise InvalidFieldError(f"format is one of {', '.join(FORMATS)}.", field="start_transcoding.format")
        async with self._desk() as desk:
            await self._take_in(stream, desk / "source")

            def tell(share: float) -> None:
                # Where the other side does not read, it is told less.
                stream.offer(service_pb.TranscodeFileResponse(progress=share))

            (made,) = await self._workshop.make(_job(desk, wanted), self._bounds, tell)
            await stream.send(service_pb.TranscodeFileResponse(progress=1.0))
            await stream.send(service_pb.TranscodeFileResponse(sound_changed=_sound(made, wanted)))
            async for piece in self._pieces(desk / "target"):
                await stream.send(service_pb.TranscodeFileResponse(content=piece))

    async def _take_in(self, stream: Stream, place: Path) -> None:
        size = 0
        with await self._threads.run(_create, place) as file:
            async for request in stream:
                if request.WhichOneof("part") != "content":
                    raise PreconditionError(
                        "The stream was told what is wanted; send the file.", reason="STREAM_ALREADY_CONFIGURED"
                    )
                size += len(request.content)
                if size > LARGEST_FILE_BYTES:
                    raise BadAudioError("The file is over 64 MiB; send a shorter one.", field="content")
                await self._threads.run(file.write, request.content)

    async def _pieces(self, place: Path) -> AsyncGenerator[bytes, None]:
        with await self._threads.run(place.open, "rb") as file:
            while piece := await self._threads.run(file.read, _PIECE_BYTES):
                yield piece

    @asynccontextmanager
    async def _desk(self) -> AsyncIterator[Path]:
        folder = await self._threads.run(_make_desk, self._folder)
        try:
            yield Path(folder.name)
        finally:
            # Also when cancelled: somebody's voice must not stay behind.
            await asyncio.shield(self._threads.run(folder.cleanup))


def _create(place: Path) -> BinaryIO:
    return place.open("wb")


def _make_desk(folder: Path) -> "tempfile.TemporaryDirectory[str]":
    folder.mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryDirectory(dir=folder, prefix="desk-")


def _job(desk: Path, wanted: Wanted) -> Convert:
    changes = wanted.changes
    if changes.to_sample and changes.to_sample <= changes.from_sample:
        raise InvalidFieldError("to_sample lies before from_sample; exchange them.", field="changes.to_sample")
    raw = RAW_MULAW if changes.raw_mulaw else ""
    return Convert(
        (Part(str(desk / "source"), raw, changes.from_sample, changes.to_sample),),
        str(desk / "target"),
        wanted.format,
        rate_hz=changes.sample_rate_hz,
        channels=changes.channels,
        normalize=changes.normalize,
    )


def _sound(made: Made, wanted: Wanted) -> media_pb.ChangedSound:
    return media_pb.ChangedSound(
        content_type=FORMATS[wanted.format].content_type,
        sample_rate_hz=made.rate_hz,
        channels=made.channels,
        samples=made.samples,
        size_bytes=made.size_bytes,
    )
