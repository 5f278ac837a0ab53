"""Sends both tracks of a session to media: the learner as sent, the tutor as played. Never on the way of the voice."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from grpc.aio import StreamStreamCall
from vivavoce.media.v1 import media_pb2 as media_pb
from vivavoce.media.v1 import media_service_pb2 as service_pb

from mesh.audio import BYTES_PER_SAMPLE
from mesh.errors import OverloadedError, VivavoceError
from mesh.mailbox import Closed, Mailbox
from mesh.streams import Metadata, client_stream
from services.conversation.domain import events
from services.conversation.domain.things import Failure

Record = Callable[..., StreamStreamCall[service_pb.RecordRequest, service_pb.RecordResponse]]

#: Messages that wait for media: some twenty seconds of frames. More ends the recording, not the talk.
_BOUND: Final = 1024
#: Replies whose sound is kept until it is reported as played.
_REPLIES: Final = 2
_LONGEST_MESSAGE: Final = 48_000


class Recording:
    """The recording of one session. `run` sends; the rest only notes, and never waits."""

    def __init__(
        self,
        method: Record,
        metadata: Callable[[], Metadata],
        start: media_pb.StartRecording,
        post: Callable[[events.Event], Awaitable[None]],
    ) -> None:
        self._method = method
        self._metadata = metadata
        self._start = start
        self._post = post
        self._rates = (start.learner_audio.sample_rate_hz, start.tutor_audio.sample_rate_hz)
        self._waiting: Mailbox[service_pb.RecordRequest] = Mailbox(_BOUND)
        self._sounds: OrderedDict[str, _Sent] = OrderedDict()
        self._tutor_next = 0

    async def run(self) -> None:
        """Sends what is noted until `close`; where media can't take it, tells the session so and stops."""
        try:
            async with client_stream(self._method, metadata=self._metadata()) as stream:
                await stream.send(service_pb.RecordRequest(start_recording=self._start))
                while True:
                    try:
                        await stream.send(await self._waiting.get())
                    except Closed:
                        break
                await stream.done_sending()
                async for _ in stream:
                    # Acknowledgements; the stream ends when the recording is finished.
                    pass
            if self._waiting.error:
                raise self._waiting.error
        except VivavoceError as error:
            message = f"The recording stopped; the talk goes on. {error.message}"
            await self._post(events.Faulted(Failure(error.reason, message, retryable=False)))
        finally:
            self._waiting.close()
            self._waiting.discard()

    def heard(self, first_sample: int, pcm: bytes) -> None:
        """The learner's sound came in."""
        self._note(media_pb.TRACK_LEARNER, first_sample, pcm)

    def sent(self, reply_id: str, first_sample: int, pcm: bytes) -> None:
        """The tutor's sound went out; it counts when it is played."""
        sound = self._sounds.setdefault(reply_id, _Sent())
        while len(self._sounds) > _REPLIES:
            self._sounds.popitem(last=False)
        if first_sample == sound.played + len(sound.unplayed) // BYTES_PER_SAMPLE:
            sound.unplayed += pcm

    def played(self, reply_id: str, samples: int, learner_sample: int) -> None:
        """So much of a reply was played by the time the learner's sound had come to `learner_sample`."""
        sound = self._sounds.get(reply_id)
        if sound is None:
            return
        pcm = sound.take(samples)
        count = len(pcm) // BYTES_PER_SAMPLE
        learner_hz, tutor_hz = self._rates
        at = max(self._tutor_next, learner_sample * tutor_hz // learner_hz - count)
        self._tutor_next = at + count
        for start in range(0, len(pcm), _LONGEST_MESSAGE):
            piece = pcm[start : start + _LONGEST_MESSAGE]
            self._note(media_pb.TRACK_TUTOR, at + start // BYTES_PER_SAMPLE, piece)

    def close(self) -> None:
        """The session is over: what is noted is still sent."""
        self._waiting.close()

    def _note(self, track: media_pb.Track.ValueType, first_sample: int, pcm: bytes) -> None:
        request = service_pb.RecordRequest(
            append_track=media_pb.AppendTrack(track=track, first_sample=first_sample, pcm=pcm)
        )
        if not self._waiting.offer(request):
            self._waiting.close(_too_slow())


@dataclass(slots=True)
class _Sent:
    """The sound of a reply that was sent and not reported as played yet, after `played` samples that were."""

    played: int = 0
    unplayed: bytearray = field(default_factory=bytearray)

    def take(self, samples: int) -> bytes:
        count = max(0, min((samples - self.played) * BYTES_PER_SAMPLE, len(self.unplayed)))
        pcm = bytes(self.unplayed[:count])
        del self.unplayed[:count]
        self.played += count // BYTES_PER_SAMPLE
        return pcm


def _too_slow() -> VivavoceError:
    return OverloadedError("The media service takes the sound in too slowly.", reason="TOO_SLOW")
