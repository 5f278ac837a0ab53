"""What a session wants done."""

from dataclasses import dataclass

from services.conversation.domain.choices import Choices, EngineChoice
from services.conversation.domain.pauses import PauseHabit
from services.conversation.domain.records import EngineUsed, RemarkNoted, ReplyGiven, SlipNoted, TurnTaken
from services.conversation.domain.things import NOTHING_SUMMARISED, Line, Recollection, Summary
from services.conversation.domain.told import Told
from services.conversation.domain.tools import NO_TOOLS, ToolSet, ToolUse


@dataclass(frozen=True, slots=True)
class Tell:
    """Tell the client. Numbered from 1, without gaps."""

    sequence: int
    event: Told


@dataclass(frozen=True, slots=True)
class Recognize:
    """Ask for the text of a stretch of sound; `to_sample` 0 is all so far. A later `hearing` supersedes an earlier."""

    turn_id: str
    hearing: int
    from_sample: int
    to_sample: int


@dataclass(frozen=True, slots=True)
class Respond:
    """Ask for a reply to a turn; without a turn the tutor opens.

    `lines` are the talk before the turn, from its line number `first_line` on; `summary` is of what came before them.
    """

    reply_id: str
    turn_id: str
    revision: int
    turn_text: str
    lines: tuple[Line, ...]
    tutor_state: str
    choices: Choices
    recollection: Recollection
    summary: Summary = NOTHING_SUMMARISED
    first_line: int = 0
    tools: ToolSet = NO_TOOLS
    #: What functions answered and the tutor has not spoken of.
    tool_uses: tuple[ToolUse, ...] = ()


@dataclass(frozen=True, slots=True)
class Assess:
    """Ask for remarks on a turn that counts."""

    record: TurnTaken
    choices: Choices


@dataclass(frozen=True, slots=True)
class Speak:
    """Ask for a given text to be spoken."""

    reply_id: str
    text: str
    speaking_rate: float


@dataclass(frozen=True, slots=True)
class CancelMaking:
    """Make no more of a reply."""

    reply_id: str


@dataclass(frozen=True, slots=True)
class ReportHeard:
    """So much of a reply was heard, and no more will be."""

    reply_id: str
    samples: int


@dataclass(frozen=True, slots=True)
class CountDraft:
    """Count a reply that was made ahead: it is used, or is thrown away."""

    used: bool


@dataclass(frozen=True, slots=True)
class CountWaste:
    """Count the tokens that a reply which was thrown away has cost."""

    tokens: int


@dataclass(frozen=True, slots=True)
class ChangeEngine:
    """Go on with another engine; answer by EngineFound, and by EngineRefused before it where it can't be had."""

    engine: EngineChoice


@dataclass(frozen=True, slots=True)
class StoreTurn:
    """Store the turn; answer by TurnStored."""

    record: TurnTaken


@dataclass(frozen=True, slots=True)
class StoreReply:
    """Store what was heard of a reply, and the tutor's state after it; answer by ReplyStored."""

    record: ReplyGiven
    tutor_state: str


@dataclass(frozen=True, slots=True)
class StoreSlip:
    """Store a slip; answer by Stored."""

    record: SlipNoted


@dataclass(frozen=True, slots=True)
class StoreRemark:
    """Store a remark; answer by Stored."""

    record: RemarkNoted


@dataclass(frozen=True, slots=True)
class StoreSummary:
    """Store what the lines so far were about, in place of the summary before; answer by Stored."""

    summary: Summary


@dataclass(frozen=True, slots=True)
class StoreHabit:
    """Store how long the learner pauses, for later sessions; answer by Stored."""

    habit: PauseHabit


@dataclass(frozen=True, slots=True)
class StoreTools:
    """Store which functions are on offer, for a process that goes on with the session; answer by Stored."""

    tools: ToolSet


@dataclass(frozen=True, slots=True)
class StoreUsage:
    """Store what was used and no reply tells of; answer by Stored."""

    record: EngineUsed


@dataclass(frozen=True, slots=True)
class StoreEnd:
    """Store that the conversation is over for good; answer by Stored."""


@dataclass(frozen=True, slots=True)
class Close:
    """Nothing more will come of this session: close it."""


ToStore = (
    StoreTurn | StoreReply | StoreSlip | StoreRemark | StoreSummary | StoreHabit | StoreTools | StoreUsage | StoreEnd
)

Count = CountDraft | CountWaste

Command = (
    Tell | Recognize | Respond | Assess | Speak | CancelMaking | ReportHeard | ChangeEngine | ToStore | Count | Close
)
