"""Sends both tracks of a session to media: the learner as sent, the tutor as played. Never on the way of the voice."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from vivavoce.media.v1 import media_pb2 as media_pb
from vivavoce.media.v1 import media_service_pb2 as service_pb

from mesh.audio import BYTES_PER_SAMPLE
from mesh.clock import Clock
from mesh.errors import OverloadedError, VivavoceError
from mesh.mailbox import Mailbox
from mesh.streams import Metadata
from services.conversation.domain import events
from services.conversation.domain.records import ReplyGiven, TurnTaken
from services.conversation.domain.replies import KEPT_S
from services.conversation.domain.things import Failure
from services.conversation.live.record_link import BOUND, Record, RecordLink

#: Replies whose sound is kept until it is reported as played.
_REPLIES: Final = 2
_LONGEST_MESSAGE: Final = 48_000
#: Frames are gathered to messages of so much: every message costs media, and nobody waits for these.
_GATHERED_S: Final = 0.4
#: How long media may be away before the recording is given up: while it is made, and where it never began.
_AWAY_S: Final = 60.0
_ABSENT_S: Final = 3.0
#: How often it is looked for meanwhile.
_FIRST_WAIT_S: Final = 0.25
_LAST_WAIT_S: Final = 2.0


class Recording:
    """The recording of one session. `run` sends; the rest only notes, and never waits."""

    def __init__(
        self,
        method: Record,
        metadata: Callable[[], Metadata],
        start: media_pb.StartRecording,
        post: Callable[[events.Event], Awaitable[None]],
        clock: Clock,
    ) -> None:
        self._post = post
        self._clock = clock
        self._rates = (start.learner_audio.sample_rate_hz, start.tutor_audio.sample_rate_hz)
        self._waiting: Mailbox[service_pb.RecordRequest] = Mailbox(BOUND)
        self._link = RecordLink(method, metadata, start, self._waiting)
        self._sounds: OrderedDict[str, _Sent] = OrderedDict()
        self._tutor_next = 0
        self._gathered = {track: _Gathered() for track in (media_pb.TRACK_LEARNER, media_pb.TRACK_TUTOR)}

    async def run(self) -> None:
        """Sends what is noted until `close`; where media is away, again what it had not kept yet.

        Where media can't take it, or stays away for a minute, tells the session so and stops.
        """
        try:
            await self._persist()
            if self._waiting.error:
                raise self._waiting.error
        except VivavoceError as error:
            message = f"The recording stopped; the talk goes on. {error.message}"
            await self._post(events.Faulted(Failure(error.reason, message, retryable=False)))
        finally:
            self._waiting.close()
            self._waiting.discard()

    async def _persist(self) -> None:
        wait_s, well_at = _FIRST_WAIT_S, self._clock.now()
        while True:
            answered = self._link.answers
            try:
                await self._link.send_all()
            except VivavoceError as error:
                if self._link.answers > answered:
                    wait_s, well_at = _FIRST_WAIT_S, self._clock.now()
                patience_s = _AWAY_S if self._link.answers else _ABSENT_S
                if not error.retryable or self._clock.now() - well_at > patience_s:
                    raise
                await self._clock.sleep(wait_s)
                wait_s = min(wait_s * 2, _LAST_WAIT_S)
            else:
                return

    def heard(self, first_sample: int, pcm: bytes) -> None:
        """The learner's sound came in."""
        self._note(media_pb.TRACK_LEARNER, first_sample, pcm)

    def sent(self, reply_id: str, first_sample: int, pcm: bytes) -> None:
        """The tutor's sound went out; it counts when it is played."""
        sound = self._sounds.setdefault(reply_id, _Sent())
        while len(self._sounds) > _REPLIES:
            self._sounds.popitem(last=False)
        if first_sample == sound.played + len(sound.unplayed) // BYTES_PER_SAMPLE:
            sound.keep(pcm, round(KEPT_S * self._rates[1]) * BYTES_PER_SAMPLE)

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
        sound.begin, sound.end = (at if sound.begin is None else sound.begin), self._tutor_next
        for start in range(0, len(pcm), _LONGEST_MESSAGE):
            piece = pcm[start : start + _LONGEST_MESSAGE]
            self._note(media_pb.TRACK_TUTOR, at + start // BYTES_PER_SAMPLE, piece)
        if sound.over and count:
            self._mark_reply(reply_id, sound)

    def turn_taken(self, turn: TurnTaken) -> None:
        """The learner has said a line."""
        if turn.end_sample > turn.start_sample:
            self._mark(turn.turn_id, media_pb.TRACK_LEARNER, turn.start_sample, turn.end_sample)

    def reply_given(self, reply: ReplyGiven) -> None:
        """The tutor's line is over; what is reported as played later still counts."""
        if sound := self._sounds.get(reply.reply_id):
            sound.over = True
            self._mark_reply(reply.reply_id, sound)

    def close(self) -> None:
        """The session is over: what is noted is still sent."""
        for track in self._gathered:
            self._send_gathered(track)
        self._waiting.close()

    def _mark_reply(self, reply_id: str, sound: "_Sent") -> None:
        if sound.begin is not None:
            self._mark(reply_id, media_pb.TRACK_TUTOR, sound.begin, sound.end)

    def _mark(self, line_id: str, track: media_pb.Track.ValueType, first_sample: int, end_sample: int) -> None:
        line = media_pb.MarkLine(track=track, line_id=line_id, first_sample=first_sample, end_sample=end_sample)
        self._offer(service_pb.RecordRequest(mark_line=line))

    def _note(self, track: media_pb.Track.ValueType, first_sample: int, pcm: bytes) -> None:
        gathered = self._gathered[track]
        if first_sample != gathered.end or len(gathered.pcm) + len(pcm) > _LONGEST_MESSAGE:
            self._send_gathered(track)
            gathered.first_sample = first_sample
        gathered.pcm += pcm
        rate_hz = self._rates[0 if track == media_pb.TRACK_LEARNER else 1]
        if len(gathered.pcm) >= _GATHERED_S * rate_hz * BYTES_PER_SAMPLE:
            self._send_gathered(track)

    def _send_gathered(self, track: media_pb.Track.ValueType) -> None:
        gathered = self._gathered[track]
        if gathered.pcm:
            append = media_pb.AppendTrack(track=track, first_sample=gathered.first_sample, pcm=bytes(gathered.pcm))
            self._offer(service_pb.RecordRequest(append_track=append))
            gathered.first_sample = gathered.end
            gathered.pcm.clear()

    def _offer(self, request: service_pb.RecordRequest) -> None:
        if not self._waiting.offer(request):
            self._waiting.close(_too_slow())


@dataclass(slots=True)
class _Gathered:
    """Sound of a track that was noted and not sent yet."""

    first_sample: int = 0
    pcm: bytearray = field(default_factory=bytearray)

    @property
    def end(self) -> int:
        return self.first_sample + len(self.pcm) // BYTES_PER_SAMPLE


@dataclass(slots=True)
class _Sent:
    """The sound of a reply that was sent and not reported as played, after `played` samples that were or are gone."""

    played: int = 0
    unplayed: bytearray = field(default_factory=bytearray)
    #: Where on the track it was played: from the first sample to the one after the last.
    begin: int | None = None
    end: int = 0
    over: bool = False

    def keep(self, pcm: bytes, at_most_bytes: int) -> None:
        self.unplayed += pcm
        too_much = max(0, len(self.unplayed) - at_most_bytes)
        del self.unplayed[:too_much]
        self.played += too_much // BYTES_PER_SAMPLE

    def take(self, samples: int) -> bytes:
        count = max(0, min((samples - self.played) * BYTES_PER_SAMPLE, len(self.unplayed)))
        pcm = bytes(self.unplayed[:count])
        del self.unplayed[:count]
        self.played += count // BYTES_PER_SAMPLE
        return pcm


def _too_slow() -> VivavoceError:
    return OverloadedError("The media service takes the sound in too slowly.", reason="TOO_SLOW")
