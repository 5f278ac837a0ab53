"""What a model that hears and answers by itself is told: the tutor's instructions, and a talk it did not hear."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from services.ai_engine.domain.remembered import digest
from services.ai_engine.domain.roles import Line, TutorContext
from services.ai_engine.prompts.prompt import Prompt
from services.ai_engine.prompts.quoting import said
from services.ai_engine.prompts.tutor import OPENING, TutorPrompt
from services.ai_engine.tutor.script import Script


@dataclass(frozen=True, slots=True)
class Talk:
    """A talk as the vendor is to know it."""

    instructions: str
    #: What was said before the last lines, for a vendor that comes new to the talk.
    digest: str
    lines: tuple[Line, ...]
    turn: Line


class TalkPrompt:
    """The tutor's instructions, read once."""

    def __init__(self, scripts: Mapping[str, Script]) -> None:
        self._tutor = TutorPrompt(scripts)

    def talk(self, context: TutorContext) -> Talk:
        """The talk so far, and the turn to answer."""
        lines = tuple(replace(line, text=said(line.text)) for line in context.lines)
        return Talk(
            instructions=self._tutor.system(context),
            digest=digest(lines),
            lines=lines,
            turn=Line("learner", said(context.turn) or OPENING),
        )

    def prompt(self, context: TutorContext) -> Prompt:
        """What a large language model would be sent."""
        return self._tutor.prompt(context)
