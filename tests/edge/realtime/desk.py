"""A codec on a clock that stands still, between a client and a Converse that say what a test wants."""

import base64
import json
from typing import Any

from google.protobuf.message import Message
from vivavoce.conversation.v1 import conversation_service_pb2 as service_pb
from vivavoce.conversation.v1 import converse_pb2 as converse_pb

from edge.realtime.codec import Codec, Said
from edge.realtime.fields import Fields
from edge.realtime.session import Chosen, updated
from edge.realtime.talk import Opening

RATE = 24_000
Json = dict[str, Any]
#: Part of a session, or a request by a name known only to the test.
Part = Any


class Desk:
    """What the codec said to either side, and how to say something to it."""

    def __init__(self, opening: Opening | None = None, *, lasting_key: str = "", **session: Part) -> None:
        chosen, _ = updated(Chosen(), Fields(session, "session"))
        self.codec = Codec("sess_1", chosen, opening or Opening(), "test", lasting_key)
        self.now = 100.0
        self.requests: list[service_pb.ConverseRequest] = []
        self.events: list[Json] = []
        self.sequence = 0
        self._take(self.codec.greet())

    def _take(self, said: Said) -> None:
        self.requests += said[0]
        self.events += said[1]

    # ── What either side says ──

    def client(self, kind: str, **fields: object) -> None:
        self.says(json.dumps({"type": kind, **fields}))

    def says(self, text: str) -> None:
        self._take(self.codec.receive(text, self.now))

    def speaks(self, seconds: float) -> None:
        self.client("input_audio_buffer.append", audio=base64.b64encode(bytes(int(RATE * seconds) * 2)).decode())

    def converse(self, **event: Message) -> None:
        self.sequence += 1
        self._take(self.codec.hear(service_pb.ConverseResponse(sequence=self.sequence, **event), self.now))  # type: ignore[arg-type]  # By name.

    def advance(self, seconds: float) -> None:
        for _ in range(round(seconds * 10)):
            self.now += 0.1
            self._take(self.codec.tick(self.now))

    # ── The usual ──

    def begins(self) -> "Desk":
        started = converse_pb.SessionStarted(session_id="ses_1", resume_token="ses_1.secret")
        started.conversation.conversation_id = "cnv_1"
        self._take(self.codec.begin())
        self.converse(session_started=started)
        return self

    def learner_says(self, text: str, turn: str = "trn_1") -> None:
        self.converse(speech_started=converse_pb.SpeechStarted(turn_id=turn, revision=1, at_sample=RATE))
        self.converse(speech_ended=converse_pb.SpeechEnded(turn_id=turn, revision=1, at_sample=2 * RATE))
        self.converse(turn_committed=converse_pb.TurnCommitted(turn_id=turn, revision=1, sequence=1, text=text))

    def tutor_says(self, text: str, seconds: float = 2.0, reply: str = "rep_2", turn: str = "trn_1") -> None:
        """All of a reply is sent; it is played from now on."""
        self.converse(reply_started=converse_pb.ReplyStarted(reply_id=reply, turn_id=turn))
        words = text.split()
        each = int(RATE * seconds / len(words))
        for place, word in enumerate(words):
            self.converse(reply_text=converse_pb.ReplyText(reply_id=reply, text=f" {word}" if place else word))
            audio = converse_pb.ReplyAudio(reply_id=reply, first_sample=place * each, pcm=bytes(each * 2))
            audio.words.add(text=word, start_sample=place * each, end_sample=(place + 1) * each)
            self.converse(reply_audio=audio)

    def tutor_has_said(self, text: str, seconds: float = 2.0, reply: str = "rep_2", turn: str = "trn_1") -> None:
        self.tutor_says(text, seconds, reply, turn)
        self.converse(reply_audio_ended=converse_pb.ReplyAudioEnded(reply_id=reply, total_samples=int(RATE * seconds)))

    def learner_interrupts(self, reply: str = "rep_2", turn: str = "trn_3") -> None:
        self.converse(reply_paused=converse_pb.ReplyPaused(reply_id=reply))
        self.converse(speech_started=converse_pb.SpeechStarted(turn_id=turn, revision=1, at_sample=5 * RATE))

    def is_finished(self, outcome: str, heard: str, seconds: float, reply: str = "rep_2") -> None:
        self.converse(
            reply_finished=converse_pb.ReplyFinished(
                reply_id=reply,
                outcome=converse_pb.ReplyOutcome.Value(f"REPLY_OUTCOME_{outcome}"),
                heard_text=heard,
                heard_samples=int(seconds * RATE),
            )
        )

    # ── What came of it ──

    def kinds(self) -> list[str]:
        return [event["type"] for event in self.events]

    def last(self, kind: str) -> Json:
        return next(event for event in reversed(self.events) if event["type"] == kind)

    def error(self) -> Json:
        return self.last("error")["error"]  # type: ignore[no-any-return]  # JSON.

    def asked(self) -> list[str]:
        return [str(request.WhichOneof("event")) for request in self.requests]

    def last_asked(self, name: str) -> Part:
        return next(getattr(r, name) for r in reversed(self.requests) if r.HasField(name))  # type: ignore[arg-type]  # By name.

    def played(self) -> int:
        return max((r.report_played.samples for r in self.requests if r.HasField("report_played")), default=0)

    def forget(self) -> None:
        """Looks only at what comes from now on."""
        self.requests.clear()
        self.events.clear()
