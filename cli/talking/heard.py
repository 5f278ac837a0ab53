"""What a client has seen of a session so far: turns, replies and when their sound could be heard."""

from dataclasses import dataclass, field
from typing import assert_never

from vivavoce.conversation.v1 import conversation_service_pb2 as conversation_pb
from vivavoce.conversation.v1 import converse_pb2 as converse_pb
from vivavoce.type.v1 import error_pb2 as error_pb
from vivavoce.type.v1 import failure_pb2 as failure_pb
from vivavoce.type.v1 import ledger_pb2 as ledger_pb

from mesh.audio import BYTES_PER_SAMPLE, first_audible
from mesh.errors import VivavoceError


@dataclass(slots=True)
class Reply:
    """One reply of the tutor, as it came."""

    reply_id: str
    turn_id: str
    rate_hz: int
    text: str = ""
    pcm: bytearray = field(default_factory=bytearray)
    outcome: "converse_pb.ReplyOutcome.ValueType" = converse_pb.REPLY_OUTCOME_UNSPECIFIED
    total_samples: int | None = None
    #: When the first sample came, on the client's clock; None before.
    began_at: float | None = None
    #: When the first audible sample could leave the loudspeaker; None before it came.
    audible_at: float | None = None
    ledger: ledger_pb.Ledger | None = None

    @property
    def finished(self) -> bool:
        """Whether nothing more will come."""
        return self.outcome != converse_pb.REPLY_OUTCOME_UNSPECIFIED

    def hear(self, first_sample: int, pcm: bytes, at: float) -> None:
        """Takes more of the sound, which came at a time; after a cut some of it comes again."""
        if self.began_at is None:
            self.began_at = at
        if self.audible_at is None and (index := first_audible(pcm)) is not None:
            sounds_at = self.began_at + (first_sample + index) / self.rate_hz
            self.audible_at = max(sounds_at, at)
        place = first_sample * BYTES_PER_SAMPLE
        self.pcm[place : place + len(pcm)] = pcm


@dataclass(slots=True)
class Turn:
    """One turn of the learner."""

    turn_id: str
    text: str
    reply: Reply | None = None


class Session:
    """What came so far, event by event."""

    def __init__(self, output_hz: int) -> None:
        self._output_hz = output_hz
        self.started: converse_pb.SessionStarted | None = None
        self.ended: converse_pb.SessionEnded | None = None
        self.turns: list[Turn] = []
        self.replies: dict[str, Reply] = {}
        self.failures: list[VivavoceError] = []
        #: The turn of the latest speech, "" before any, and whether it is going on.
        self.speech_turn_id = ""
        self.speaking = False
        self.speech_changed_at = 0.0
        self.goals_reached: set[str] = set()
        self.feedback: list[converse_pb.FeedbackGiven] = []

    def see(self, response: conversation_pb.ConverseResponse, at: float) -> None:
        """Takes note of an event that came at a time on the client's clock."""
        match response.WhichOneof("event"):
            case "session_started":
                self.started = response.session_started
            case "speech_started":
                self.speech_turn_id = response.speech_started.turn_id
                self.speaking, self.speech_changed_at = True, at
            case "speech_ended":
                self.speaking, self.speech_changed_at = False, at
            case "turn_committed":
                committed = response.turn_committed
                # A text that was sent again after a cut may be told again.
                if committed.turn_id not in {turn.turn_id for turn in self.turns}:
                    self.turns.append(Turn(committed.turn_id, committed.text))
            case "reply_started":
                self._begin(response.reply_started)
            case "reply_text":
                self.replies[response.reply_text.reply_id].text += response.reply_text.text
            case "reply_audio":
                audio = response.reply_audio
                self.replies[audio.reply_id].hear(audio.first_sample, audio.pcm, at)
            case "reply_audio_ended":
                ended = response.reply_audio_ended
                self.replies[ended.reply_id].total_samples = ended.total_samples
            case "reply_finished":
                self.replies[response.reply_finished.reply_id].outcome = response.reply_finished.outcome
            case "reply_measured":
                self.replies[response.reply_measured.reply_id].ledger = response.reply_measured.ledger
            case "scenario_progressed":
                self.goals_reached.update(response.scenario_progressed.progress.reached_goal_ids)
            case "feedback_given":
                self.feedback.append(response.feedback_given)
            case "error_raised":
                self.failures.append(error_of(response.error_raised.failure))
            case "session_ended":
                self.ended = response.session_ended
            case (
                "transcript_revised"
                | "reply_paused"
                | "reply_resumed"
                | "tool_called"
                | "access_expiring"
                | "go_away"
                | "pong"
                | None
            ):
                pass
            case other:
                assert_never(other)

    def reply_to(self, turn_id: str) -> Reply | None:
        """The latest reply to a turn, or to none where `turn_id` is empty."""
        return next((reply for reply in reversed(self.replies.values()) if reply.turn_id == turn_id), None)

    def _begin(self, started: converse_pb.ReplyStarted) -> None:
        self.replies[started.reply_id] = Reply(started.reply_id, started.turn_id, self._output_hz)


def error_of(failure: failure_pb.Failure) -> VivavoceError:
    """The error a failure inside a stream stands for."""
    reason = error_pb.ErrorReason.Name(failure.reason).removeprefix("ERROR_REASON_")
    return VivavoceError(failure.message, reason=reason, field=failure.field)
