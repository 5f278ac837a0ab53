"""Gathers everything kept about a person as files in pieces."""

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing

from services.media.domain.recordings import Blobs, KeptRecording, Recordings
from services.media.wav import wav

_PAGE = 50


async def export(blobs: Blobs, recordings: Recordings, user_id: str) -> AsyncGenerator[tuple[str, bytes], None]:
    """Path and piece, file after file: of each recording what is known of it, then its tracks.

    Raises:
        VivavoceError: a segment is damaged.
    """
    after: tuple[int, str] | None = None
    while page := await recordings.page(user_id, "", after, _PAGE):
        for known in page:
            recording = known.recording
            folder = f"recordings/{recording.recording_id}"
            yield f"{folder}/recording.json", _described(known)
            for track in known.kept:
                async with aclosing(wav(blobs, recordings, recording, track, 0, 0)) as pieces:
                    async for piece in pieces:
                        yield f"{folder}/{track.value}.wav", piece
            after = (recording.begin_time_us, recording.recording_id)


def _described(known: KeptRecording) -> bytes:
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
        },
        indent=2,
    ).encode()
