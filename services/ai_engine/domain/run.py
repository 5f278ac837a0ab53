"""The commands an engine takes and the events it gives, in plain Python, and what every kind of engine looks like.

Positions and word times are samples at the rate of the stream they belong to: the learner's sound at the input rate,
a reply's at the output rate.
"""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Literal, Protocol

# What fails is told by events of this domain, too.
from mesh.failures import Failure as Failure
from services.ai_engine.domain import roles
from services.ai_engine.domain.remarks import Remark
from services.ai_engine.domain.roles import CefrLevel, ProviderRole, Summary, TutorContext

EngineKind = Literal["pipelined", "unified"]
ReplyEnd = Literal["complete", "cancelled", "failed"]
#: How an attempt to have something from a provider ended; abandoned: nobody wanted the rest.
Outcome = Literal["answered", "failed", "abandoned"]


@dataclass(frozen=True, slots=True)
class Selection:
    """Who hears, thinks and speaks. An empty name, or no kind, means the installation's default."""

    kind: EngineKind | None = None
    recognizer: str = ""
    language_model: str = ""
    synthesizer: str = ""
    speech_to_speech: str = ""
    voice: str = ""
    #: 0.5 to 1.5; 1 is normal pace.
    speaking_rate: float = 1.0


@dataclass(frozen=True, slots=True)
class Configure:
    """Sets a session up."""

    selection: Selection
    input_rate_hz: int
    output_rate_hz: int
    #: The language being learnt, BCP 47.
    language: str = "en"
    conversation_id: str = ""
    user_id: str = ""


@dataclass(frozen=True, slots=True)
class AppendAudio:
    """Appends the learner's sound."""

    first_sample: int
    pcm: bytes


@dataclass(frozen=True, slots=True)
class Recognize:
    """Asks for the text of a stretch of sound; `to_sample` 0 means all that has arrived."""

    turn_id: str
    revision: int
    from_sample: int
    to_sample: int = 0


@dataclass(frozen=True, slots=True)
class Respond:
    """Asks for a reply. What the learner said is `context.turn`."""

    reply_id: str
    turn_id: str
    revision: int
    context: TutorContext


@dataclass(frozen=True, slots=True)
class Speak:
    """Asks for a given text to be spoken; `speaking_rate` 0 means the session's."""

    reply_id: str
    text: str
    speaking_rate: float = 0.0


@dataclass(frozen=True, slots=True)
class Cancel:
    """Stops a reply. Unknown or finished replies are ignored."""

    reply_id: str


@dataclass(frozen=True, slots=True)
class ReportHeard:
    """Tells how much of a reply was heard."""

    reply_id: str
    samples: int
    final: bool


@dataclass(frozen=True, slots=True)
class WordTime:
    """A word and when it sounds."""

    text: str
    start_sample: int
    end_sample: int
    confidence: float | None = None
    pronunciation: float | None = None


@dataclass(frozen=True, slots=True)
class Assess:
    """Asks for remarks on a turn that counts. Words count from `from_sample`; `to_sample` 0: it was typed."""

    turn_id: str
    revision: int
    text: str
    words: tuple[WordTime, ...] = ()
    from_sample: int = 0
    to_sample: int = 0
    #: BCP 47.
    language: str = "en"
    level: CefrLevel | None = None


Command = AppendAudio | Recognize | Respond | Speak | Cancel | ReportHeard | Assess


@dataclass(frozen=True, slots=True)
class ProviderCost:
    """What a provider is estimated to have cost, in millionths of the price list's currency."""

    provider: str
    cost_micros: int
    #: Whether some of what it was used for has no known price: it cost more.
    unknown: bool = False


@dataclass(frozen=True, slots=True)
class ProviderAttempt:
    """Attempts of one provider in one role that ended alike."""

    provider: str
    role: ProviderRole
    outcome: Outcome
    #: One word for why they failed; empty where they did not.
    cause: str = ""
    #: Milliseconds from asking to the first output of the first that gave one; None where none did.
    first_ms: float | None = None
    count: int = 1


@dataclass(frozen=True, slots=True)
class Usage:
    """What a reply cost. Times in milliseconds."""

    input_tokens: int = 0
    output_tokens: int = 0
    spoken_characters: int = 0
    #: Speech recognised since the last report.
    recognized_ms: int = 0
    #: From the request to the first clause of text, and from there to the first sound.
    first_text_ms: float = 0.0
    first_audio_ms: float = 0.0
    #: Of the tokens, those of sound.
    input_audio_tokens: int = 0
    output_audio_tokens: int = 0
    #: Estimated cost of the paid providers since the last report, in millionths of the price list's currency.
    cost_micros: int = 0
    #: What each provider has in it; those that cost nothing are left out.
    provider_costs: tuple[ProviderCost, ...] = ()
    #: How each provider did since the last report.
    provider_attempts: tuple[ProviderAttempt, ...] = ()
    #: Currency of the costs; empty where nothing cost anything.
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """The goals of a scenario and which are reached."""

    scenario_id: str
    reached_goal_ids: tuple[str, ...] = ()
    goal_count: int = 0
    finished: bool = False


@dataclass(frozen=True, slots=True)
class Configured:
    """Answers Configure: the engine that was chosen, every name filled."""

    selection: Selection
    output_rate_hz: int
    #: One honest sentence about each provider in use.
    labels: tuple[str, ...]
    local: bool


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The learner began to speak at this sample."""

    at_sample: int


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """The learner paused; the sample is the one after the last of speech."""

    at_sample: int


@dataclass(frozen=True, slots=True)
class TurnEndEstimated:
    """How likely the turn is over, judged at the pause with this sample."""

    at_sample: int
    probability: float


@dataclass(frozen=True, slots=True)
class TranscriptRevised:
    """Text of a stretch of sound; words count from its first sample."""

    turn_id: str
    revision: int
    text: str
    words: tuple[WordTime, ...]
    to_sample: int


@dataclass(frozen=True, slots=True)
class ReplyTextProduced:
    """More of a reply's text."""

    reply_id: str
    text: str


@dataclass(frozen=True, slots=True)
class ReplyAudioProduced:
    """More of a reply's sound, with the words that begin in it."""

    reply_id: str
    first_sample: int
    pcm: bytes
    words: tuple[WordTime, ...] = ()


@dataclass(frozen=True, slots=True)
class ToolCalled:
    """A reply needs a function carried out; `arguments` is JSON, as the language model wrote it."""

    reply_id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ReplyFinished:
    """A reply has no more output. Exactly one for each Respond and Speak."""

    reply_id: str
    end: ReplyEnd
    total_samples: int
    tutor_state: str = ""
    progress: Progress | None = None
    failure: Failure | None = None
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True, slots=True)
class CorrectionFound:
    """A slip in a turn, found while making a reply."""

    turn_id: str
    revision: int
    reply_id: str
    correction: roles.CorrectionFound


@dataclass(frozen=True, slots=True)
class RemarkFound:
    """Something about a turn that is no slip."""

    turn_id: str
    revision: int
    remark: Remark


@dataclass(frozen=True, slots=True)
class TalkSummarised:
    """The talk grew long: its older lines were summarised while a reply was made."""

    reply_id: str
    summary: Summary


@dataclass(frozen=True, slots=True)
class EngineFailed:
    """Something failed and the session goes on."""

    failure: Failure
    turn_id: str = ""
    revision: int = 0


Event = (
    Configured
    | SpeechStarted
    | SpeechEnded
    | TurnEndEstimated
    | TranscriptRevised
    | ReplyTextProduced
    | ReplyAudioProduced
    | ToolCalled
    | ReplyFinished
    | CorrectionFound
    | RemarkFound
    | TalkSummarised
    | EngineFailed
)

#: Puts an event into the session's one ordered, bounded queue; waits while it is full.
Emit = Callable[[Event], Awaitable[None]]


class EngineSession(Protocol):
    """One session of an engine."""

    async def handle(self, command: Command) -> None:
        """Takes the next command; never waits for the work it asks for, only for room in a queue.

        Raises InvalidFieldError (BadAudioError) for a command that breaks the contract: the session is over then.
        What a provider does wrong is told by events instead.
        """
        ...


class Engine(Protocol):
    """A way to hear, think and speak."""

    def configured(self, configure: Configure) -> Configured:
        """What a session set up like this will be."""
        ...

    def open(self, configure: Configure, emit: Emit) -> AbstractAsyncContextManager[EngineSession]:
        """Opens a session. Leaving the block waits for the work in hand; leaving it by an exception cancels it."""
        ...
