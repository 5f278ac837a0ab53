"""Gathers everything kept about a person as files in pieces."""

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from services.media.domain.recordings import KeptRecording, Library, Line
from services.media.domain.tracks import Track
from services.media.download import Downloads
from services.media.lasting import LastingFiles

_PAGE: Final = 50
_PIECE_BYTES: Final = 256 * 1024


class Export:
    """What is kept about people."""

    def __init__(self, *, library: Library, lasting: LastingFiles, downloads: Downloads) -> None:
        self._library = library
        self._lasting = lasting
        self._downloads = downloads

    async def files(self, user_id: str) -> AsyncGenerator[tuple[str, bytes], None]:
        """Path and piece, file after file: of each recording what is known of it, then its tracks.

        A track is FLAC once it is archived, before that WAV.

        Raises:
            VivavoceError: what is kept is damaged.
        """
        after: tuple[int, str] | None = None
        while page := await self._library.page(user_id, "", after, _PAGE):
            for known in page:
                folder = f"recordings/{known.recording.recording_id}"
                lines = await self._library.lines(known.recording.recording_id)
                yield f"{folder}/recording.json", _described(known, lines)
                for track in known.kept:
                    async with aclosing(self._track(known, track)) as pieces:
                        async for name, piece in pieces:
                            yield f"{folder}/{name}", piece
                after = (known.recording.begin_time_us, known.recording.recording_id)

    async def _track(self, known: KeptRecording, track: Track) -> AsyncGenerator[tuple[str, bytes], None]:
        recording_id = known.recording.recording_id
        if not known.recording.archived:
            async with aclosing(self._downloads.wav(known, track, 0, 0)) as pieces:
                async for piece in pieces:
                    yield f"{track.value}.wav", piece
        elif file := await self._lasting.find(recording_id, f"{track.value}.flac"):
            await self._lasting.whole(recording_id, file)
            for first in range(0, file.size_bytes, _PIECE_BYTES):
                yield file.name, await self._lasting.read(recording_id, file, first, _PIECE_BYTES)


def _described(known: KeptRecording, lines: list[Line]) -> bytes:
    recording = known.recording
    return json.dumps(
        {
            "recording_id": recording.recording_id,
            "conversation_id": recording.conversation_id,
            "session_id": recording.session_id,
            "begin_time_us": recording.begin_time_us,
            "finished": recording.finished,
            "tracks": {
                track.value: {"sample_rate_hz": recording.rates_hz[track], "samples": kept.samples}
                for track, kept in known.kept.items()
            },
            "lines": [
                {
                    "line_id": line.line_id,
                    "track": line.track.value,
                    "first_sample": line.first_sample,
                    "end_sample": line.end_sample,
                }
                for line in lines
            ],
        },
        indent=2,
    ).encode()
