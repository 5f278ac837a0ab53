"""What events, commands and records are made of: words, slips, progress, failures, lines."""

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Final

# What fails is told by events of this domain, too.
from mesh.failures import Failure as Failure
from services.conversation.domain.choices import NOTHING_CHOSEN, Choices


@dataclass(frozen=True, slots=True)
class Word:
    """A word and when it sounds, in samples from the start of its turn or reply."""

    text: str
    start_sample: int
    end_sample: int
    confidence: float | None = None
    pronunciation: float | None = None


#: Kinds of attempts that are kept with one reply.
_MOST_ATTEMPTS: Final = 256


class SlipKind(IntEnum):
    """What kind of slip; the numbers are the contract's."""

    UNSPECIFIED = 0
    GRAMMAR = 1
    VOCABULARY = 2
    PRONUNCIATION = 3


@dataclass(frozen=True, slots=True)
class Slip:
    """A slip in a turn and how to mend it. `start` and `end` are characters of the turn's text."""

    kind: SlipKind
    said: str
    better: str
    explanation: str
    start: int
    end: int
    source: str


@dataclass(frozen=True, slots=True)
class Remark:
    """Something about a turn that is no slip. `told` is what the engine tells, in a form that nothing here reads."""

    about: str
    told: str


@dataclass(frozen=True, slots=True)
class Progress:
    """The goals of a scenario and which are reached."""

    scenario_id: str
    reached_goal_ids: tuple[str, ...]
    goal_count: int
    finished: bool


class ProviderRole(IntEnum):
    """What a provider is asked to be; the numbers are the contract's."""

    UNSPECIFIED = 0
    RECOGNIZER = 1
    LANGUAGE_MODEL = 2
    SYNTHESIZER = 3
    SPEECH_TO_SPEECH = 4


class AttemptOutcome(IntEnum):
    """How an attempt ended; the numbers are the contract's."""

    UNSPECIFIED = 0
    ANSWERED = 1
    FAILED = 2
    ABANDONED = 3


@dataclass(frozen=True, slots=True)
class ProviderCost:
    """What a provider is estimated to have cost at least, in millionths of the price list's currency."""

    provider: str
    cost_micros: int
    #: Whether some of what it was used for has no price.
    unknown: bool = False


@dataclass(frozen=True, slots=True)
class ProviderAttempt:
    """Attempts of one provider in one role that ended alike; `first_ms` is when the first of them gave something."""

    provider: str
    role: ProviderRole
    outcome: AttemptOutcome
    cause: str = ""
    first_ms: float | None = None
    count: int = 1


@dataclass(frozen=True, slots=True)
class Usage:
    """What the engine used, what that is estimated to have cost in all and by provider, and how providers did."""

    input_tokens: int = 0
    output_tokens: int = 0
    input_audio_tokens: int = 0
    output_audio_tokens: int = 0
    spoken_characters: int = 0
    recognized_ms: int = 0
    cost_micros: int = 0
    provider_costs: tuple[ProviderCost, ...] = ()
    provider_attempts: tuple[ProviderAttempt, ...] = ()
    currency: str = ""

    @property
    def tokens(self) -> int:
        """Tokens of any kind."""
        return self.input_tokens + self.output_tokens

    def __add__(self, other: "Usage") -> "Usage":
        """What was used both times."""
        costs: dict[str, ProviderCost] = {}
        for each in self.provider_costs + other.provider_costs:
            before = costs.get(each.provider, ProviderCost(each.provider, 0))
            both = before.cost_micros + each.cost_micros
            costs[each.provider] = ProviderCost(each.provider, both, before.unknown or each.unknown)
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.input_audio_tokens + other.input_audio_tokens,
            self.output_audio_tokens + other.output_audio_tokens,
            self.spoken_characters + other.spoken_characters,
            self.recognized_ms + other.recognized_ms,
            self.cost_micros + other.cost_micros,
            tuple(costs.values()),
            # Of a reply that took more attempts than this, the first are told.
            (self.provider_attempts + other.provider_attempts)[:_MOST_ATTEMPTS],
            self.currency or other.currency,
        )


NOTHING_USED: Final = Usage()


class Speaker(Enum):
    """Who said a line."""

    LEARNER = "learner"
    TUTOR = "tutor"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the talk; of the tutor's, only what was heard."""

    speaker: Speaker
    text: str


@dataclass(frozen=True, slots=True)
class Summary:
    """What the first `line_count` lines of a conversation were about, in few words."""

    text: str = ""
    line_count: int = 0


NOTHING_SUMMARISED: Final = Summary()


class ReplyKind(Enum):
    """What a reply is for."""

    ANSWER = "answer"
    OPENER = "opener"
    REPEAT = "repeat"
    NUDGE = "nudge"
    ASIDE = "aside"


class Outcome(IntEnum):
    """Why a reply is over; the numbers are the contract's."""

    HEARD = 1
    INTERRUPTED = 2
    CANCELLED = 3
    FAILED = 4


@dataclass(frozen=True, slots=True)
class Recollection:
    """What the tutor knows of the learner from before: facts they agreed to, what is due, what they told."""

    facts: tuple[str, ...] = ()
    due: tuple[str, ...] = ()
    display_name: str = ""
    goals: tuple[str, ...] = ()
    interests: tuple[str, ...] = ()
    #: What they choose wherever they leave it open.
    usual: Choices = NOTHING_CHOSEN
