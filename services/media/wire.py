"""Recordings as messages of the contract."""

from collections.abc import Mapping, Sequence
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp
from vivavoce.media.v1 import media_pb2 as media_pb
from vivavoce.type.v1 import audio_pb2 as audio_pb

from services.media.domain.recordings import KeptRecording, Line
from services.media.domain.tracks import Track

TRACKS: Final[Mapping[media_pb.Track.ValueType, Track]] = {
    media_pb.TRACK_LEARNER: Track.LEARNER,
    media_pb.TRACK_TUTOR: Track.TUTOR,
}
_DAY_US: Final = 86_400_000_000
_WIRE: Final = {track: wire for wire, track in TRACKS.items()}


def track_pb(track: Track) -> media_pb.Track.ValueType:
    """The track."""
    return _WIRE[track]


def recording_pb(known: KeptRecording, keep_days: int, lines: Sequence[Line] = ()) -> media_pb.Recording:
    """The recording, what is kept of it, for how many days (0 for good), and its lines, if they are told."""
    recording = known.recording
    in_time = sorted(lines, key=lambda line: line.first_sample / recording.rates_hz[line.track])
    return media_pb.Recording(
        recording_id=recording.recording_id,
        conversation_id=recording.conversation_id,
        session_id=recording.session_id,
        begin_time=_time(recording.begin_time_us),
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
        archived=recording.archived,
        expire_time=_time(recording.begin_time_us + keep_days * _DAY_US) if keep_days else None,
        lines=[
            media_pb.RecordedLine(
                line_id=line.line_id,
                track=_WIRE[line.track],
                first_sample=line.first_sample,
                end_sample=line.end_sample,
            )
            for line in in_time
        ],
    )


def _time(time_us: int) -> Timestamp:
    time = Timestamp()
    time.FromMicroseconds(time_us)
    return time
