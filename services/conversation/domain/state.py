"""What a session knows, shared by its listening and its speaking side."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final, TypeVar

from services.conversation.domain import commands, told
from services.conversation.domain.choices import Choices, CorrectionStyle
from services.conversation.domain.pauses import NO_HABIT, PauseHabit
from services.conversation.domain.records import EngineUsed, SlipNoted, TurnTaken
from services.conversation.domain.replies import Reply
from services.conversation.domain.strain import Strain
from services.conversation.domain.things import (
    NOTHING_SUMMARISED,
    NOTHING_USED,
    Failure,
    Line,
    Progress,
    Recollection,
    Slip,
    Summary,
)
from services.conversation.domain.tools import NO_TOOLS, Tools, ToolSet
from services.conversation.domain.turns import Turn, Waits

T = TypeVar("T")

#: Lines handed to the engine at most; older ones are in history.
_LINES: Final = 200
#: Replies of this session that can be heard again, and turns of which slips and remarks are still told.
_REMEMBERED: Final = 50


NOTHING_RECALLED: Final = Recollection()


class Timer(Enum):
    """What a session waits for."""

    ENDPOINT = "endpoint"
    RECOGNITION = "recognition"
    DECISION = "decision"
    PACE = "pace"
    PLAYED_OUT = "played_out"
    ENGINE = "engine"
    IDLE = "idle"
    LENGTH = "length"
    ACCESS_WARNING = "access_warning"
    ACCESS_END = "access_end"
    LEAVING = "leaving"
    NUDGE = "nudge"
    AWAY = "away"


@dataclass(frozen=True, slots=True)
class Limits:
    """How long things may take, in seconds."""

    engine_silent_s: float = 8.0
    idle_s: float = 300.0
    #: 0: the tutor never asks a learner who is silent.
    nudge_s: float = 15.0
    session_s: float = 3600.0
    drain_s: float = 8.0
    last_turn_s: float = 60.0
    #: How long a client that lost its wire is waited for. 0: not at all.
    resume_s: float = 30.0
    access_warning_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Setup:
    """What stands when a session begins. `lines`, from number `first_line` on, and the rest are the conversation's."""

    session_id: str
    choices: Choices
    input_rate_hz: int
    output_rate_hz: int
    lines: Sequence[Line] = ()
    tutor_state: str = ""
    providers: tuple[str, ...] = ()
    waits: Waits = field(default_factory=Waits)
    limits: Limits = field(default_factory=Limits)
    recollection: Recollection = NOTHING_RECALLED
    summary: Summary = NOTHING_SUMMARISED
    first_line: int = 0
    habit: PauseHabit = NO_HABIT
    strain: Strain = Strain.CALM
    #: Typed turns that a client may send again, by request id.
    written: Mapping[str, told.TurnCommitted] = field(default_factory=dict)
    #: The client's functions, where it offered them to a process that is gone.
    tools: ToolSet = NO_TOOLS


class State:
    """The session's memory, and what it wants done."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.choices = setup.choices
        self.lines = list(setup.lines)
        self.summary = setup.summary
        self.tutor_state = setup.tutor_state
        self.progress: Progress | None = None
        self.turn: Turn | None = None
        self.reply: Reply | None = None
        self.held = False
        #: What was said last and is answered only when the client asks for it.
        self.unanswered: TurnTaken | None = None
        #: The client's functions.
        self.tools = Tools(setup.tools)
        self.engine_up = True
        self.turn_count = 0
        #: How long the learner pauses, and what of it is stored.
        self.habit = self.kept_habit = setup.habit
        self.strain = setup.strain
        #: Replies that were made ahead and thrown away, and are not known to have ended.
        self.thrown: OrderedDict[str, str] = OrderedDict()
        #: Whether whoever recognises speech puts marks at the ends of sentences.
        self.punctuated = False
        #: Where the last turn ended, and how often the tutor has asked since.
        self.last_ended_sample = 0
        self.nudges = 0
        #: Replies heard and turns taken whose storing is under way, with what is told when it is done.
        self.finishing: dict[str, told.ReplyFinished] = {}
        self.committing: dict[str, told.TurnCommitted] = {}
        #: Typed turns by request id; sequence 0 while their storing is under way.
        self.written = OrderedDict(setup.written)
        #: Texts of replies by id, replies that answer a committed turn, and turns that were asked about.
        self.texts: OrderedDict[str, str] = OrderedDict()
        self.answered: OrderedDict[str, str] = OrderedDict()
        self.assessed: OrderedDict[str, str] = OrderedDict()
        #: What the engine used since the last reply that was stored.
        self.used = NOTHING_USED
        self.storing = 0
        #: Whether the client tells what it plays, as far as is known.
        self.reports = False
        #: Whether the client has lost its wire, and whether for good.
        self.away = False
        self.gone = False
        self.timers: dict[Timer, float] = {}
        self._commands: list[commands.Command] = []
        self._told = 0
        self._ids = 0

    def do(self, command: commands.Command) -> None:
        """Wants something done."""
        if isinstance(command, commands.ToStore):
            self.storing += 1
        self._commands.append(command)

    def tell(self, event: told.Told) -> None:
        """Tells the client, while there is one."""
        if not self.gone:
            self._told += 1
            self._commands.append(commands.Tell(self._told, event))

    def complain(self, failure: Failure) -> None:
        """Tells the client of something that went wrong."""
        self.tell(told.ErrorRaised(failure))

    def taken(self) -> list[commands.Command]:
        """What is wanted since the last time, in order."""
        done, self._commands = self._commands, []
        return done

    def set(self, timer: Timer, at: float) -> None:
        """Wants to be woken for this at `at`; the last setting counts."""
        self.timers[timer] = at

    def clear(self, *timers: Timer) -> None:
        """Does not wait for these any more."""
        for timer in timers:
            self.timers.pop(timer, None)

    def next_id(self, prefix: str) -> str:
        """An id that is unique because the session's is."""
        self._ids += 1
        return f"{prefix}_{self.setup.session_id.partition('_')[2]}_{self._ids:04d}"

    def throw(self, reply_id: str) -> None:
        """Will count what this reply has cost for nothing."""
        _keep(self.thrown, reply_id, reply_id)

    def keep_habit(self) -> None:
        """Wants the habit stored where it has changed."""
        if self.habit != self.kept_habit:
            self.kept_habit = self.habit
            self.do(commands.StoreHabit(self.habit))

    def keep_usage(self) -> None:
        """Wants stored what was used and no reply tells of."""
        if self.used != NOTHING_USED:
            self.do(commands.StoreUsage(EngineUsed(self.used)))
            self.used = NOTHING_USED

    def request(self, reply: Reply) -> None:
        """Asks the engine for a reply, while there is one; whoever finds an engine asks again."""
        if self.engine_up and reply.request is not None:
            self.do(reply.request)

    def note(self, turn_id: str, slip: Slip) -> None:
        """Stores a slip of a turn that counts, and tells of it unless that is for afterwards."""
        self.do(commands.StoreSlip(SlipNoted(turn_id, slip)))
        if self.choices.correction_style is not CorrectionStyle.AFTERWARDS:
            self.tell(told.FeedbackGiven(turn_id, slip))

    def recent_lines(self) -> tuple[int, tuple[Line, ...]]:
        """The lines the engine may know and the summary does not stand for, and the number of the first."""
        return recent_lines(self.lines, self.setup.first_line, self.summary)

    def remember(self, reply: Reply) -> None:
        """Keeps the text of a reply, so that it can be heard again."""
        if reply.text.strip():
            _keep(self.texts, reply.id, reply.text.strip())

    def answers(self, reply: Reply) -> None:
        """From now on slips found with this reply belong to a turn that counts."""
        _keep(self.answered, reply.id, reply.turn_id)

    def asks_about(self, turn_id: str) -> None:
        """From now on remarks on this turn are told."""
        _keep(self.assessed, turn_id, turn_id)

    def stored(self, subject_id: str, sequence: int) -> None:
        """Tells what waited for the storing of a turn or a reply. `sequence` 0 where it failed."""
        self.storing -= 1
        if finished := self.finishing.pop(subject_id, None):
            self.tell(replace(finished, sequence=sequence))
        committed = self.committing.pop(subject_id, None)
        # Only what is stored is ever called committed.
        if committed and sequence:
            self.tell(replace(committed, sequence=sequence))
        for request_id in [key for key, written in self.written.items() if written.turn_id == subject_id]:
            if sequence:
                self.written[request_id] = replace(self.written[request_id], sequence=sequence)
            else:
                del self.written[request_id]

    def know(self, request_id: str, committed: told.TurnCommitted) -> None:
        """Knows a typed turn again that is sent a second time."""
        if request_id:
            _keep(self.written, request_id, committed)


def _keep(kept: OrderedDict[str, T], key: str, value: T) -> None:
    kept[key] = value
    while len(kept) > _REMEMBERED:
        kept.popitem(last=False)


def recent_lines(lines: Sequence[Line], first_line: int, summary: Summary) -> tuple[int, tuple[Line, ...]]:
    """Of the lines from number `first_line` on, those to tell besides the summary, and the number of the first."""
    begin = max(summary.line_count - first_line, len(lines) - _LINES, 0)
    return first_line + begin, tuple(lines[begin:])
