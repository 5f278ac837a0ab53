"""A scripted learner: what they do in a conversation, and what has to come of it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

from services.conversation.domain.choices import Choices, TurnTaking

#: What a pause that nobody wrote a likelihood to sounds like: hardly the end within a turn, surely the end after it.
INSIDE: Final = 0.1
AT_THE_END: Final = 0.95
#: Bounds that hold where a script names no others: of the gap before an answer, and of the tutor's talking over.
GAP_S: Final = (0.15, 3.0)
SILENT_WITHIN_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Pause:
    """Silence within a turn. `looks_over` is how likely the judge finds that it is the end."""

    seconds: float
    looks_over: float = INSIDE


@dataclass(frozen=True, slots=True)
class Say:
    """Speaks: texts, and pauses between them. A recording may stand for the sound; it has no pauses then."""

    pieces: tuple[str | Pause, ...]
    looks_over: float = AT_THE_END
    #: Pace, 1 is normal.
    rate: float = 1.0
    wav: Path | None = None

    @property
    def text(self) -> str:
        """All that is said."""
        return " ".join(piece for piece in self.pieces if isinstance(piece, str))


@dataclass(frozen=True, slots=True)
class Backchannel:
    """Shows that they listen: "mm-hm". Not a turn."""

    text: str


@dataclass(frozen=True, slots=True)
class Write:
    """Says something in writing."""

    text: str


@dataclass(frozen=True, slots=True)
class Cough:
    """Makes a sound that is no speech."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Echo:
    """Has the tutor's own voice come back through the microphone for so long."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Noise:
    """From now on there is noise, so many decibels below speech; None: none any more."""

    snr_db: float | None


@dataclass(frozen=True, slots=True)
class Lose:
    """From now on this share of the frames of sound is lost and arrives as silence."""

    share: float


@dataclass(frozen=True, slots=True)
class Stall:
    """The wire delivers nothing either way for so long, and then everything at once."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Cut:
    """The wire is cut; after so long the client resumes."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Hold:
    """Holds the turn open, or releases it."""

    held: bool


@dataclass(frozen=True, slots=True)
class Commit:
    """Says by hand that the turn is over."""


@dataclass(frozen=True, slots=True)
class Repeat:
    """Asks to hear the last reply again, at a pace."""

    rate: float


@dataclass(frozen=True, slots=True)
class Stop:
    """Stops the reply by hand."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Is silent for so long."""

    seconds: float


Act: TypeAlias = (
    Say | Backchannel | Write | Cough | Echo | Noise | Lose | Stall | Cut | Hold | Commit | Repeat | Stop | Wait
)


@dataclass(frozen=True, slots=True)
class Still:
    """When it is the learner's turn: the tutor has answered all there was, and nobody speaks."""


@dataclass(frozen=True, slots=True)
class During:
    """When so many seconds of a reply were played."""

    seconds: float


@dataclass(frozen=True, slots=True)
class After:
    """So many seconds after the step before, whatever the tutor does."""

    seconds: float


When: TypeAlias = Still | During | After


@dataclass(frozen=True, slots=True)
class Step:
    """One thing the learner does, and when."""

    act: Act
    when: When = field(default_factory=Still)


@dataclass(frozen=True, slots=True)
class Expected:
    """What has to come of it. What the script leaves open is taken from its steps."""

    #: What is understood, turn by turn.
    turns: tuple[str, ...]
    #: Replies that begin as answers to turns.
    answers: int
    #: Replies that the learner ends early.
    interrupted: int
    #: Turns taken for finished although the learner goes on.
    cut_offs: int = 0
    #: Questions of the tutor to a learner who says nothing.
    nudges: int = 0
    #: Faults the learner is told of.
    errors: int = 0
    #: The least and the most gap between a turn and its answer.
    gap_s: tuple[float, float] = GAP_S
    #: How soon the tutor is silent when the learner speaks.
    silent_within_s: float = SILENT_WITHIN_S


@dataclass(frozen=True, slots=True)
class Script:
    """A learner."""

    name: str
    title: str
    choices: Choices
    steps: tuple[Step, ...]
    expected: Expected

    @property
    def by_hand(self) -> bool:
        """Whether the learner says when a turn ends."""
        return self.choices.turn_taking is TurnTaking.PUSH_TO_TALK

    @property
    def chooses_its_gaps(self) -> bool:
        """Whether the learner, or a wire that is away, says how long the tutor waits."""
        return self.by_hand or any(isinstance(step.act, Hold | Commit | Stall | Cut) for step in self.steps)
