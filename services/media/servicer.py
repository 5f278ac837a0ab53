"""The RPCs of the media service: proto in, proto out."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp
from vivavoce.media.v1 import media_service_pb2 as service_pb
from vivavoce.media.v1 import media_service_pb2_grpc as service_grpc

from mesh.clock import Clock
from mesh.errors import NotFoundError, UnavailableError
from mesh.identity import caller
from mesh.interceptors.wire import Context
from mesh.pages import Page
from mesh.streams import serve_stream
from services.media.domain.playback import Playback
from services.media.domain.recordings import KeptRecording, Library
from services.media.download import Downloads
from services.media.export import Export
from services.media.lasting import LastingFiles
from services.media.links import LIFETIME_S, Links
from services.media.player import Player
from services.media.playing import pieces
from services.media.record_stream import record
from services.media.recorder import Recorder
from services.media.removal import Removal
from services.media.sound.formats import FORMATS
from services.media.transcoding import Transcoding, Wanted
from services.media.waveform import waveform
from services.media.wire import TRACKS, recording_pb

_COLUMNS: Final = 800


@dataclass(frozen=True, slots=True)
class Staff:
    """Who does what the RPCs ask for."""

    recorder: Recorder
    removal: Removal
    library: Library
    lasting: LastingFiles
    downloads: Downloads
    export: Export
    player: Player
    links: Links
    transcoding: Transcoding


@dataclass(frozen=True, slots=True)
class Policy:
    """How recordings are kept and played here."""

    #: 0 keeps them for good.
    longest_keep_days: int
    #: Whether links lead to the store itself, where it can.
    presign: bool
    #: What links begin with; empty where they are paths of the edge.
    public_url: str


class MediaServicer(service_grpc.MediaServiceServicer):
    """Translates; the rules are the domain's."""

    def __init__(self, *, staff: Staff, policy: Policy, clock: Clock) -> None:
        self._staff = staff
        self._policy = policy
        self._clock = clock

    def Record(
        self, requests: AsyncIterator[service_pb.RecordRequest], context: Context
    ) -> AsyncIterator[service_pb.RecordResponse]:
        """Keeps both tracks of a session."""
        return serve_stream(requests, lambda stream: record(stream, self._staff.recorder, self._clock))

    async def ListRecordings(
        self, request: service_pb.ListRecordingsRequest, context: Context
    ) -> service_pb.ListRecordingsResponse:
        """Lists the caller's recordings, latest first."""
        user_id, conversation_id = caller().user_id, request.conversation_id
        page = Page("ListRecordings", request.page_size, request.page_token, user_id, conversation_id)
        found = await self._staff.library.page(user_id, conversation_id, page.after, page.limit)
        shown, more = page.cut(found, lambda known: (known.recording.begin_time_us, known.recording.recording_id))
        days = await self._days()
        return service_pb.ListRecordingsResponse(
            recordings=[recording_pb(known, days) for known in shown], next_page_token=more
        )

    async def GetRecording(
        self, request: service_pb.GetRecordingRequest, context: Context
    ) -> service_pb.GetRecordingResponse:
        """Returns what is known of a recording of the caller's."""
        known = await self._own(request.recording_id)
        lines = await self._staff.library.lines(request.recording_id)
        return service_pb.GetRecordingResponse(recording=recording_pb(known, await self._days(), lines))

    async def DownloadRecording(
        self, request: service_pb.DownloadRecordingRequest, context: Context
    ) -> AsyncIterator[service_pb.DownloadRecordingResponse]:
        """Returns a track, or a stretch of it, as a WAV file in pieces."""
        known = await self._own(request.recording_id)
        wav = self._staff.downloads.wav(known, TRACKS[request.track], request.from_sample, request.to_sample)
        async with aclosing(wav):
            async for piece in wav:
                yield service_pb.DownloadRecordingResponse(content=piece)

    async def DeleteRecording(
        self, request: service_pb.DeleteRecordingRequest, context: Context
    ) -> service_pb.DeleteRecordingResponse:
        """Removes a recording of the caller's. One that is being made ends."""
        await self._staff.removal.remove((await self._own(request.recording_id)).recording.recording_id)
        return service_pb.DeleteRecordingResponse()

    async def GetPlayback(
        self, request: service_pb.GetPlaybackRequest, context: Context
    ) -> service_pb.GetPlaybackResponse:
        """Returns a link that plays a recording of the caller's."""
        playback = Playback(
            user_id=caller().user_id,
            recording_id=request.recording_id,
            track=TRACKS[request.track].value if request.track in TRACKS else "",
            line_id=request.line_id,
            beside_line_id=request.beside_line_id,
            speed=round(request.speed, 2) or 1.0,
            format=request.format or "opus",
        )
        url, ends = await self._link(playback)
        return service_pb.GetPlaybackResponse(
            url=url, expire_time=ends, content_type=FORMATS[playback.format].content_type
        )

    async def GetConversationPlayback(
        self, request: service_pb.GetConversationPlaybackRequest, context: Context
    ) -> service_pb.GetConversationPlaybackResponse:
        """Returns a link that plays all that was recorded of a conversation of the caller's."""
        playback = Playback(
            user_id=caller().user_id, conversation_id=request.conversation_id, format=request.format or "opus"
        )
        url, ends = await self._link(playback)
        return service_pb.GetConversationPlaybackResponse(
            url=url, expire_time=ends, content_type=FORMATS[playback.format].content_type
        )

    async def Play(self, request: service_pb.PlayRequest, context: Context) -> AsyncIterator[service_pb.PlayResponse]:
        """Returns what a link stands for."""
        playable = await self._staff.player.open(self._staff.links.read(request.link))
        async with aclosing(pieces(playable, request.first_byte, request.byte_count)) as answers:
            async for answer in answers:
                yield answer

    async def GetWaveform(
        self, request: service_pb.GetWaveformRequest, context: Context
    ) -> service_pb.GetWaveformResponse:
        """Returns the picture of a track."""
        recording = (await self._own(request.recording_id)).recording
        if not recording.archived:
            raise UnavailableError("The recording is still being prepared; try again in a few seconds.")
        file = await self._staff.lasting.find(recording.recording_id, f"{TRACKS[request.track].value}.peaks")
        if file is None:
            return service_pb.GetWaveformResponse()
        peaks = await self._staff.lasting.read(recording.recording_id, file, 0, file.size_bytes)
        return waveform(peaks, request.columns or _COLUMNS)

    async def GetRetention(
        self, request: service_pb.GetRetentionRequest, context: Context
    ) -> service_pb.GetRetentionResponse:
        """Returns how long recordings of the caller's are kept."""
        days = await self._staff.library.keep_days(caller().user_id)
        return service_pb.GetRetentionResponse(keep_days=days, longest_keep_days=self._policy.longest_keep_days)

    async def SetRetention(
        self, request: service_pb.SetRetentionRequest, context: Context
    ) -> service_pb.SetRetentionResponse:
        """Sets how long recordings of the caller's are kept."""
        await self._staff.library.set_keep_days(caller().user_id, request.keep_days)
        return service_pb.SetRetentionResponse(
            keep_days=request.keep_days, longest_keep_days=self._policy.longest_keep_days
        )

    async def Transcode(self, request: service_pb.TranscodeRequest, context: Context) -> service_pb.TranscodeResponse:
        """Changes sound from one format into another."""
        return await self._staff.transcoding.at_once(request.content, Wanted(request.format, request.changes))

    def TranscodeFile(
        self, requests: AsyncIterator[service_pb.TranscodeFileRequest], context: Context
    ) -> AsyncIterator[service_pb.TranscodeFileResponse]:
        """Like Transcode, for large files."""
        return serve_stream(requests, self._staff.transcoding.of_stream)

    async def ExportUser(
        self, request: service_pb.ExportUserRequest, context: Context
    ) -> AsyncIterator[service_pb.ExportUserResponse]:
        """Returns everything kept about a person as files in pieces."""
        async with aclosing(self._staff.export.files(request.user_id)) as files:
            async for path, data in files:
                yield service_pb.ExportUserResponse(path=path, data=data)

    async def ForgetUser(
        self, request: service_pb.ForgetUserRequest, context: Context
    ) -> service_pb.ForgetUserResponse:
        """Removes everything kept about a person, and takes none of it any more."""
        count = await self._staff.removal.forget(request.user_id, request.request_id)
        return service_pb.ForgetUserResponse(recording_count=count)

    async def _link(self, playback: Playback) -> tuple[str, Timestamp]:
        if self._policy.presign and (url := await self._staff.player.link(playback, LIFETIME_S)):
            return url, Timestamp(seconds=int(self._clock.wall().timestamp()) + LIFETIME_S)
        await self._staff.player.parts(playback)
        link, ends_at = self._staff.links.make(playback)
        return f"{self._policy.public_url}/v1/playback/{link}", Timestamp(seconds=ends_at)

    async def _own(self, recording_id: str) -> KeptRecording:
        found = await self._staff.library.find(caller().user_id, recording_id)
        if found is None:
            raise NotFoundError("You have no such recording; list yours to find its id.", field="recording_id")
        return found

    async def _days(self) -> int:
        """Days the caller's recordings are kept; 0 for good."""
        limits = (await self._staff.library.keep_days(caller().user_id), self._policy.longest_keep_days)
        return min((days for days in limits if days), default=0)
