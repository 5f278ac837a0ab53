"""What is kept of a conversation, once and for all."""

from dataclasses import dataclass

from services.conversation.domain.choices import Choices
from services.conversation.domain.ledger import Ledger
from services.conversation.domain.things import NOTHING_USED, Remark, Slip, Usage, Word
from services.conversation.domain.tools import ToolUse


@dataclass(frozen=True, slots=True)
class ConversationBegan:
    """The conversation began."""

    choices: Choices


@dataclass(frozen=True, slots=True)
class TurnTaken:
    """The learner took a turn. Samples count in the session's sound, words from the start of the turn."""

    turn_id: str
    revision: int
    text: str
    typed: bool
    words: tuple[Word, ...] = ()
    start_sample: int = 0
    end_sample: int = 0
    sample_rate_hz: int = 0
    session_id: str = ""
    #: By which the client may send a typed one again.
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class ReplyGiven:
    """The tutor replied and was heard. `turn_id` is empty where the tutor opened."""

    reply_id: str
    turn_id: str
    heard_text: str
    unheard_text: str
    interrupted: bool
    heard_ms: int
    ledger: Ledger | None = None
    providers: tuple[str, ...] = ()
    #: What the engine used since the reply before it in the session, replies that were never heard included.
    usage: Usage = NOTHING_USED
    #: The client's functions that it told of.
    tool_uses: tuple[ToolUse, ...] = ()


@dataclass(frozen=True, slots=True)
class SlipNoted:
    """A slip was found in an earlier turn."""

    turn_id: str
    slip: Slip


@dataclass(frozen=True, slots=True)
class RemarkNoted:
    """Something was remarked on an earlier turn."""

    turn_id: str
    remark: Remark


@dataclass(frozen=True, slots=True)
class ConversationEnded:
    """The conversation was ended for good."""


@dataclass(frozen=True, slots=True)
class EngineUsed:
    """The engine used something after the last reply of a session that was heard."""

    usage: Usage


Record = ConversationBegan | TurnTaken | ReplyGiven | SlipNoted | RemarkNoted | ConversationEnded | EngineUsed
