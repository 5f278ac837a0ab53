"""The stream that brings sound in: the first message starts the recording, half-closing finishes it."""

from typing import Final, TypeAlias, assert_never

from vivavoce.media.v1 import media_pb2 as media_pb
from vivavoce.media.v1 import media_service_pb2 as service_pb
from vivavoce.type.v1 import audio_pb2 as audio_pb

from mesh.clock import Clock
from mesh.errors import InvalidFieldError, PreconditionError
from mesh.streams import DuplexStream
from services.media.domain.recordings import Line, Recording
from services.media.domain.tracks import Track
from services.media.recorder import OpenRecording, Recorder
from services.media.wire import TRACKS, recording_pb, track_pb

#: Recordings are kept as samples.
_ENCODINGS: Final = frozenset({audio_pb.AUDIO_ENCODING_UNSPECIFIED, audio_pb.AUDIO_ENCODING_PCM_S16LE})

Stream: TypeAlias = DuplexStream[service_pb.RecordResponse, service_pb.RecordRequest]


async def record(stream: Stream, recorder: Recorder, clock: Clock) -> None:
    """Records what the stream brings.

    A repeated start goes on where the recording was left: `track_kept` says from where; earlier sound is passed over.
    One that is finished already is answered as it is.

    Raises:
        PreconditionError: the first message does not start a recording, or a later one does.
        BadAudioError: sound that the track can't take.
        AlreadyExistsError: the id is another recording's.
        NotFoundError: the learner was forgotten.
        ConflictError: another stream makes this recording.
    """
    wanted = await _wanted(stream, clock)

    async def told(track: Track, kept_samples: int) -> None:
        kept = media_pb.TrackKept(track=track_pb(track), kept_samples=kept_samples)
        await stream.send(service_pb.RecordResponse(track_kept=kept))

    async def feed(opened: OpenRecording) -> None:
        async for request in stream:
            await _append(opened, request)

    with recorder.claim(wanted.recording_id):
        known = await recorder.start(wanted)
        started = media_pb.RecordingStarted(recording_id=wanted.recording_id)
        await stream.send(service_pb.RecordResponse(recording_started=started))
        for track, kept in known.kept.items():
            if kept.samples:
                await told(track, kept.samples)
        if not known.recording.finished:
            known = await recorder.record(known, told, feed)
    finished = media_pb.RecordingFinished(recording=recording_pb(known, keep_days=0))
    await stream.send(service_pb.RecordResponse(recording_finished=finished))


async def _wanted(stream: Stream, clock: Clock) -> Recording:
    first = await anext(stream, None)
    if first is None or first.WhichOneof("command") != "start_recording":
        raise PreconditionError("Send start_recording as the first message of the stream.")
    start = first.start_recording
    return Recording(
        recording_id=start.recording_id,
        user_id=start.user_id,
        conversation_id=start.conversation_id,
        session_id=start.session_id,
        rates_hz={
            Track.LEARNER: _rate_hz("learner_audio", start.learner_audio),
            Track.TUTOR: _rate_hz("tutor_audio", start.tutor_audio),
        },
        begin_time_us=int(clock.wall().timestamp() * 1_000_000),
    )


def _rate_hz(name: str, audio: audio_pb.AudioFormat) -> int:
    if audio.encoding not in _ENCODINGS:
        raise InvalidFieldError(f"{name} is encoded; send PCM_S16LE samples.", field=f"start_recording.{name}.encoding")
    return audio.sample_rate_hz


async def _append(opened: OpenRecording, request: service_pb.RecordRequest) -> None:
    match command := request.WhichOneof("command"):
        case "append_track":
            append = request.append_track
            if append.track not in TRACKS:
                raise InvalidFieldError("track is the learner's or the tutor's.", field="append_track.track")
            if append.first_sample < 0:
                raise InvalidFieldError("first_sample counts from 0.", field="append_track.first_sample")
            await opened.append(TRACKS[append.track], append.first_sample, append.pcm)
        case "mark_line":
            await opened.mark(_line(request.mark_line))
        case "start_recording":
            raise PreconditionError(
                "The recording was started; open another stream for another one.",
                reason="STREAM_ALREADY_CONFIGURED",
            )
        case None:
            raise InvalidFieldError("Set append_track or mark_line.", field="command")
        case _:
            assert_never(command)


def _line(marked: media_pb.MarkLine) -> Line:
    if marked.track not in TRACKS:
        raise InvalidFieldError("track is the learner's or the tutor's.", field="mark_line.track")
    if not 0 <= marked.first_sample <= marked.end_sample:
        raise InvalidFieldError("A line ends after it begins.", field="mark_line.end_sample")
    if not marked.line_id:
        raise InvalidFieldError("line_id names the turn or the reply.", field="mark_line.line_id")
    return Line(marked.line_id, TRACKS[marked.track], marked.first_sample, marked.end_sample)
