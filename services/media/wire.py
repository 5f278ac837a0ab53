"""Recordings as messages of the contract."""

from collections.abc import Mapping
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp
from vivavoce.media.v1 import media_pb2 as media_pb
from vivavoce.type.v1 import audio_pb2 as audio_pb

from services.media.domain.recordings import KeptRecording
from services.media.domain.tracks import Track

TRACKS: Final[Mapping[media_pb.Track.ValueType, Track]] = {
    media_pb.TRACK_LEARNER: Track.LEARNER,
    media_pb.TRACK_TUTOR: Track.TUTOR,
}
_WIRE: Final = {track: wire for wire, track in TRACKS.items()}


def track_pb(track: Track) -> media_pb.Track.ValueType:
    """The track."""
    return _WIRE[track]


def recording_pb(known: KeptRecording) -> media_pb.Recording:
    """The recording and what is kept of it."""
    recording = known.recording
    begin_time = Timestamp()
    begin_time.FromMicroseconds(recording.begin_time_us)
    return media_pb.Recording(
        recording_id=recording.recording_id,
        conversation_id=recording.conversation_id,
        session_id=recording.session_id,
        begin_time=begin_time,
        tracks=[
            media_pb.RecordedTrack(
                track=_WIRE[track],
                audio_format=audio_pb.AudioFormat(
                    encoding=audio_pb.AUDIO_ENCODING_PCM_S16LE, sample_rate_hz=recording.rates_hz[track]
                ),
                samples=kept.samples,
                size_bytes=kept.size_bytes,
            )
            for track, kept in known.kept.items()
        ],
        finished=recording.finished,
    )
