"""What can happen to a session: what the client sends, what the engine perceives and makes, what the house reports."""

from dataclasses import dataclass
from enum import Enum

from services.conversation.domain.choices import Choices, EngineChoice
from services.conversation.domain.records import TurnTaken
from services.conversation.domain.strain import Strain
from services.conversation.domain.things import NOTHING_USED, Failure, Progress, Remark, Slip, Summary, Usage, Word
from services.conversation.domain.tools import ToolCall, ToolSet

# ── From the learner's client ──


@dataclass(frozen=True, slots=True)
class TextSubmitted:
    """The learner says something in writing, to be answered at once or when the client asks for it."""

    text: str
    reply_later: bool = False
    #: The same as of one before: it is that one, sent again.
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class ReplyAsked:
    """The client asks the tutor to speak; about something beside the talk where `aside` is not empty."""

    aside: str = ""
    #: Functions for this reply, in place of those that stand.
    tools: ToolSet | None = None


@dataclass(frozen=True, slots=True)
class ToolsOffered:
    """The client tells which functions the tutor may have carried out."""

    tools: ToolSet


@dataclass(frozen=True, slots=True)
class ToolAnswered:
    """What came of a call, to be answered at once or when the client asks for it."""

    call_id: str
    output: str
    reply_later: bool = False


@dataclass(frozen=True, slots=True)
class TurnDiscarded:
    """The client drops the open turn."""


@dataclass(frozen=True, slots=True)
class PlayedReported:
    """So many samples of a reply have left the loudspeaker."""

    reply_id: str
    samples: int


@dataclass(frozen=True, slots=True)
class CommitAsked:
    """The learner ends the turn; the sound so far ends at `at_sample`, which arrived at `at`."""

    at_sample: int
    at: float


@dataclass(frozen=True, slots=True)
class TurnHeld:
    """The learner holds the turn open, or releases it."""

    held: bool


@dataclass(frozen=True, slots=True)
class CancelAsked:
    """The client stops a reply; an empty id is the current one."""

    reply_id: str


@dataclass(frozen=True, slots=True)
class RepeatAsked:
    """The learner wants to hear a reply again; an empty id is the last one."""

    reply_id: str
    speaking_rate: float


@dataclass(frozen=True, slots=True)
class SettingsChanged:
    """The learner chose anew; what is left at its zero value stays."""

    choices: Choices


@dataclass(frozen=True, slots=True)
class Pinged:
    """The client wants to know whether we are there."""

    nonce: int


@dataclass(frozen=True, slots=True)
class EndAsked:
    """The client ends the session, perhaps the conversation too."""

    end_conversation: bool


# ── From the engine; sample positions count from the start of the session ──


@dataclass(frozen=True, slots=True)
class SpeechBegan:
    """The learner began to speak."""

    at_sample: int


@dataclass(frozen=True, slots=True)
class SpeechPaused:
    """The learner paused after `at_sample`, a sample that arrived at `at`."""

    at_sample: int
    at: float


@dataclass(frozen=True, slots=True)
class TurnEndJudged:
    """How likely the turn is over, judged at the pause after `at_sample`."""

    at_sample: int
    probability: float


@dataclass(frozen=True, slots=True)
class TextRecognised:
    """What was said in a stretch of sound; `hearing` is the number given with the request."""

    turn_id: str
    hearing: int
    text: str
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class ReplyTextMade:
    """More of a reply's text."""

    reply_id: str
    text: str


@dataclass(frozen=True, slots=True)
class ReplyAudioMade:
    """More of a reply's sound."""

    reply_id: str
    first_sample: int
    pcm: bytes
    words: tuple[Word, ...] = ()


class MadeEnd(Enum):
    """Why the engine made no more of a reply."""

    COMPLETE = "complete"
    CANCELLED = "cancelled"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ToolCallMade:
    """The engine wants a function carried out to go on with a reply."""

    reply_id: str
    call: ToolCall


@dataclass(frozen=True, slots=True)
class ReplyMade:
    """The engine has no more output of a reply."""

    reply_id: str
    end: MadeEnd
    tutor_state: str = ""
    progress: Progress | None = None
    failure: Failure | None = None
    #: What the engine used since it finished the reply before.
    usage: Usage = NOTHING_USED


@dataclass(frozen=True, slots=True)
class SlipFound:
    """A slip in a turn, found while a reply to it was made."""

    turn_id: str
    reply_id: str
    slip: Slip


@dataclass(frozen=True, slots=True)
class RemarkFound:
    """Something about a turn that counts."""

    turn_id: str
    remark: Remark


@dataclass(frozen=True, slots=True)
class TalkSummarised:
    """The talk grew long, and its older lines were summarised."""

    summary: Summary


@dataclass(frozen=True, slots=True)
class EngineFaulted:
    """Something failed in the engine, and it goes on."""

    failure: Failure
    turn_id: str


@dataclass(frozen=True, slots=True)
class EngineLost:
    """The engine is gone; another is being sought. Nothing asked of it will be answered."""


@dataclass(frozen=True, slots=True)
class EngineFound:
    """There is an engine again, which knows nothing of what went before."""


@dataclass(frozen=True, slots=True)
class EngineRefused:
    """The engine that was wanted can't be had; `engine`, the one before, is being opened again."""

    failure: Failure
    engine: EngineChoice


# ── From the house ──


@dataclass(frozen=True, slots=True)
class Opened:
    """The session begins, on a conversation that is new or not.

    `owed` is a turn that was stored and not answered, because the process that took it is gone.
    """

    new_conversation: bool
    owed: TurnTaken | None = None


@dataclass(frozen=True, slots=True)
class TurnStored:
    """A turn survives whatever happens now."""

    turn_id: str
    sequence: int


@dataclass(frozen=True, slots=True)
class ReplyStored:
    """What was heard of a reply is stored."""

    reply_id: str
    sequence: int


@dataclass(frozen=True, slots=True)
class Stored:
    """Something that is not told to the client is stored."""


@dataclass(frozen=True, slots=True)
class StoringFailed:
    """A turn, a reply (by its id) or something else (empty) could not be stored."""

    subject_id: str
    failure: Failure


@dataclass(frozen=True, slots=True)
class AccessGranted:
    """The learner may stay until `until`."""

    until: float


@dataclass(frozen=True, slots=True)
class Faulted:
    """Something beside the talk went wrong; the client is told."""

    failure: Failure


@dataclass(frozen=True, slots=True)
class Dismissed:
    """The session has to end, for this reason."""

    failure: Failure


@dataclass(frozen=True, slots=True)
class Draining:
    """The server is about to stop."""


@dataclass(frozen=True, slots=True)
class StrainChanged:
    """The process or its engine has got busier, or calmer."""

    strain: Strain


@dataclass(frozen=True, slots=True)
class BudgetSpent:
    """The learner's budget is used up: what is being said is said, and nothing more."""

    failure: Failure


@dataclass(frozen=True, slots=True)
class WireLost:
    """The client has lost its wire, and may come back. What is told meanwhile is kept for it."""


@dataclass(frozen=True, slots=True)
class WireFound:
    """The client is back; what it missed has been told again, but for sound."""


@dataclass(frozen=True, slots=True)
class Vanished:
    """The client is gone: nothing can be told to it any more."""


@dataclass(frozen=True, slots=True)
class Woke:
    """The time has come that the session asked to be woken at."""


Event = (
    TextSubmitted
    | ReplyAsked
    | ToolsOffered
    | ToolAnswered
    | TurnDiscarded
    | PlayedReported
    | CommitAsked
    | TurnHeld
    | CancelAsked
    | RepeatAsked
    | SettingsChanged
    | Pinged
    | EndAsked
    | SpeechBegan
    | SpeechPaused
    | TurnEndJudged
    | TextRecognised
    | ReplyTextMade
    | ReplyAudioMade
    | ToolCallMade
    | ReplyMade
    | SlipFound
    | RemarkFound
    | TalkSummarised
    | EngineFaulted
    | EngineLost
    | EngineFound
    | EngineRefused
    | Opened
    | TurnStored
    | ReplyStored
    | Stored
    | StoringFailed
    | AccessGranted
    | Faulted
    | Dismissed
    | Draining
    | StrainChanged
    | BudgetSpent
    | WireLost
    | WireFound
    | Vanished
    | Woke
)
