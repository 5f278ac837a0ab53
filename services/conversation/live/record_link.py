"""One stream after another to media, until all of a recording is kept there."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from grpc.aio import StreamStreamCall
from vivavoce.media.v1 import media_pb2 as media_pb
from vivavoce.media.v1 import media_service_pb2 as service_pb

from mesh.audio import BYTES_PER_SAMPLE
from mesh.errors import OverloadedError
from mesh.mailbox import Closed, Mailbox
from mesh.streams import DuplexStream, Metadata, client_stream

Record = Callable[..., StreamStreamCall[service_pb.RecordRequest, service_pb.RecordResponse]]
Stream = DuplexStream[service_pb.RecordRequest, service_pb.RecordResponse]

#: Messages that wait for media, and as many that it has not acknowledged: a minute of both tracks. More ends the
#: recording, not the talk.
BOUND: Final = 320


class RecordLink:
    """Sends what waits, and holds it until media has it on disk: a new stream begins with what the last one lost."""

    def __init__(
        self,
        method: Record,
        metadata: Callable[[], Metadata],
        start: media_pb.StartRecording,
        waiting: Mailbox[service_pb.RecordRequest],
    ) -> None:
        self._method = method
        self._metadata = metadata
        self._start = start
        self._waiting = waiting
        self._unkept: deque[media_pb.AppendTrack] = deque()
        #: Lines are few, and are sent again with every stream: the same one again changes nothing.
        self._lines: list[media_pb.MarkLine] = []
        #: What media said so far.
        self.answers = 0

    async def send_all(self) -> None:
        """Sends until the mailbox is closed and empty, and all is kept.

        Raises:
            VivavoceError: the stream failed; call again where it is retryable.
        """
        async with client_stream(self._method, metadata=self._metadata()) as stream:
            heeding = asyncio.create_task(self._heed(stream), name="recording acknowledgements")
            try:
                await self._send(stream)
                await stream.done_sending()
                await heeding
            finally:
                heeding.cancel()
                await asyncio.wait([heeding])

    async def _send(self, stream: Stream) -> None:
        await stream.send(service_pb.RecordRequest(start_recording=self._start))
        for append in tuple(self._unkept):
            await stream.send(service_pb.RecordRequest(append_track=append))
        for line in self._lines:
            await stream.send(service_pb.RecordRequest(mark_line=line))
        while True:
            try:
                request = await self._waiting.get()
            except Closed:
                return
            self._hold(request)
            await stream.send(request)

    def _hold(self, request: service_pb.RecordRequest) -> None:
        if request.HasField("mark_line"):
            self._lines.append(request.mark_line)
            return
        if len(self._unkept) >= BOUND:
            raise OverloadedError("The media service keeps the sound too slowly.", reason="TOO_SLOW")
        self._unkept.append(request.append_track)

    async def _heed(self, stream: Stream) -> None:
        async for answer in stream:
            self.answers += 1
            if answer.HasField("track_kept"):
                self._let_go(answer.track_kept)

    def _let_go(self, kept: media_pb.TrackKept) -> None:
        self._unkept = deque(
            append for append in self._unkept if append.track != kept.track or _end(append) > kept.kept_samples
        )


def _end(append: media_pb.AppendTrack) -> int:
    return append.first_sample + len(append.pcm) // BYTES_PER_SAMPLE
