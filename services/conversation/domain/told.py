"""What a session tells its client; one class for each event of the contract."""

from dataclasses import dataclass

from services.conversation.domain.ledger import Ledger
from services.conversation.domain.things import Failure, Outcome, Progress, Remark, Slip, Word
from services.conversation.domain.tools import ToolCall


@dataclass(frozen=True, slots=True)
class SessionStarted:
    """The session is open."""


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The learner began to speak."""

    turn_id: str
    revision: int
    at_sample: int


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """The learner paused, and the tutor waits so long from the last sample."""

    turn_id: str
    revision: int
    at_sample: int
    wait_ms: int


@dataclass(frozen=True, slots=True)
class TranscriptRevised:
    """What was understood so far."""

    turn_id: str
    revision: int
    text: str
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class TurnCommitted:
    """The turn is over and stored."""

    turn_id: str
    revision: int
    sequence: int
    text: str
    typed: bool


@dataclass(frozen=True, slots=True)
class ReplyStarted:
    """The tutor begins to answer."""

    reply_id: str
    turn_id: str


@dataclass(frozen=True, slots=True)
class ReplyText:
    """More of the reply's text."""

    reply_id: str
    text: str


@dataclass(frozen=True, slots=True)
class ReplyAudio:
    """More of the reply's sound."""

    reply_id: str
    first_sample: int
    pcm: bytes
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class ReplyAudioEnded:
    """All of the reply's sound has been sent."""

    reply_id: str
    total_samples: int


@dataclass(frozen=True, slots=True)
class ReplyPaused:
    """Stop playing, keep what is queued."""

    reply_id: str


@dataclass(frozen=True, slots=True)
class ReplyResumed:
    """Play on."""

    reply_id: str
    from_sample: int


@dataclass(frozen=True, slots=True)
class ReplyFinished:
    """The reply is over."""

    reply_id: str
    outcome: Outcome
    heard_text: str
    heard_samples: int
    total_samples: int
    sequence: int


@dataclass(frozen=True, slots=True)
class ToolCalled:
    """A function is to be carried out."""

    reply_id: str
    turn_id: str
    call_id: str
    call: ToolCall


@dataclass(frozen=True, slots=True)
class FeedbackGiven:
    """A slip and how to mend it."""

    turn_id: str
    slip: Slip


@dataclass(frozen=True, slots=True)
class RemarkGiven:
    """A remark on a turn."""

    turn_id: str
    remark: Remark


@dataclass(frozen=True, slots=True)
class ScenarioProgressed:
    """Where the scenario stands."""

    progress: Progress


@dataclass(frozen=True, slots=True)
class ReplyMeasured:
    """How long the learner waited."""

    reply_id: str
    turn_id: str
    ledger: Ledger


@dataclass(frozen=True, slots=True)
class ErrorRaised:
    """Something went wrong and the session goes on."""

    failure: Failure


@dataclass(frozen=True, slots=True)
class AccessExpiring:
    """The access token expires soon."""

    time_left_s: float


@dataclass(frozen=True, slots=True)
class GoAway:
    """The server is about to stop."""


@dataclass(frozen=True, slots=True)
class Pong:
    """Answers a ping."""

    nonce: int


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """The session is over."""

    failure: Failure | None
    turn_count: int


Told = (
    SessionStarted
    | SpeechStarted
    | SpeechEnded
    | TranscriptRevised
    | TurnCommitted
    | ReplyStarted
    | ReplyText
    | ReplyAudio
    | ReplyAudioEnded
    | ReplyPaused
    | ReplyResumed
    | ReplyFinished
    | ToolCalled
    | FeedbackGiven
    | RemarkGiven
    | ScenarioProgressed
    | ReplyMeasured
    | ErrorRaised
    | AccessExpiring
    | GoAway
    | Pong
    | SessionEnded
)
