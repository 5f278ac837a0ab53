"""The RPCs of the media service: proto in, proto out."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Final

from vivavoce.media.v1 import media_service_pb2 as service_pb
from vivavoce.media.v1 import media_service_pb2_grpc as service_grpc

from mesh.clock import Clock
from mesh.errors import NotFoundError
from mesh.identity import caller
from mesh.interceptors.wire import Context
from mesh.paging import page_position, page_token
from mesh.streams import serve_stream
from services.media.domain.recordings import Blobs, KeptRecording, Recordings
from services.media.export import export
from services.media.record_stream import record
from services.media.recorder import Recorder
from services.media.removal import Removal
from services.media.wav import wav
from services.media.wire import TRACKS, recording_pb

_PAGE: Final = 50


class MediaServicer(service_grpc.MediaServiceServicer):
    """Translates; the rules are the domain's. RPCs that are only specified so far answer NOT_BUILT by themselves."""

    def __init__(
        self, *, recorder: Recorder, removal: Removal, recordings: Recordings, blobs: Blobs, clock: Clock
    ) -> None:
        self._recorder = recorder
        self._removal = removal
        self._recordings = recordings
        self._blobs = blobs
        self._clock = clock

    def Record(
        self, requests: AsyncIterator[service_pb.RecordRequest], context: Context
    ) -> AsyncIterator[service_pb.RecordResponse]:
        """Keeps both tracks of a session."""
        return serve_stream(requests, lambda stream: record(stream, self._recorder, self._clock))

    async def ListRecordings(
        self, request: service_pb.ListRecordingsRequest, context: Context
    ) -> service_pb.ListRecordingsResponse:
        """Lists the caller's recordings, latest first."""
        asked = ("ListRecordings", caller().user_id, request.conversation_id)
        after: tuple[int, str] | None = None
        match page_position(request.page_token, asked):
            case (int(begin_time_us), str(recording_id)):
                after = (begin_time_us, recording_id)
        size = request.page_size or _PAGE
        found = await self._recordings.page(caller().user_id, request.conversation_id, after, size + 1)
        page, last = found[:size], found[:size][-1:]
        more = (
            page_token((last[0].recording.begin_time_us, last[0].recording.recording_id), asked)
            if len(found) > size
            else ""
        )
        return service_pb.ListRecordingsResponse(recordings=map(recording_pb, page), next_page_token=more)

    async def GetRecording(
        self, request: service_pb.GetRecordingRequest, context: Context
    ) -> service_pb.GetRecordingResponse:
        """Returns what is known of a recording of the caller's."""
        return service_pb.GetRecordingResponse(recording=recording_pb(await self._own(request.recording_id)))

    async def DownloadRecording(
        self, request: service_pb.DownloadRecordingRequest, context: Context
    ) -> AsyncIterator[service_pb.DownloadRecordingResponse]:
        """Returns a track, or a stretch of it, as a WAV file in pieces."""
        recording = (await self._own(request.recording_id)).recording
        track = TRACKS[request.track]
        pieces = wav(self._blobs, self._recordings, recording, track, request.from_sample, request.to_sample)
        async with aclosing(pieces):
            async for piece in pieces:
                yield service_pb.DownloadRecordingResponse(content=piece)

    async def DeleteRecording(
        self, request: service_pb.DeleteRecordingRequest, context: Context
    ) -> service_pb.DeleteRecordingResponse:
        """Removes a recording of the caller's. One that is being made ends."""
        await self._removal.remove((await self._own(request.recording_id)).recording.recording_id)
        return service_pb.DeleteRecordingResponse()

    async def ExportUser(
        self, request: service_pb.ExportUserRequest, context: Context
    ) -> AsyncIterator[service_pb.ExportUserResponse]:
        """Returns everything kept about a person as files in pieces."""
        async with aclosing(export(self._blobs, self._recordings, request.user_id)) as pieces:
            async for path, data in pieces:
                yield service_pb.ExportUserResponse(path=path, data=data)

    async def ForgetUser(
        self, request: service_pb.ForgetUserRequest, context: Context
    ) -> service_pb.ForgetUserResponse:
        """Removes everything kept about a person, and takes none of it any more."""
        count = await self._removal.forget(request.user_id, request.request_id)
        return service_pb.ForgetUserResponse(recording_count=count)

    async def _own(self, recording_id: str) -> KeptRecording:
        found = await self._recordings.find(caller().user_id, recording_id)
        if found is None:
            raise NotFoundError("You have no such recording; list yours to find its id.", field="recording_id")
        return found
