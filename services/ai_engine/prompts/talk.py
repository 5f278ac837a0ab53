"""What a model that hears and answers by itself is told: the tutor's instructions, and a talk it did not hear."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.ai_engine.domain.remembered import digest
from services.ai_engine.domain.roles import Line, TutorContext
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
        self._scripts = scripts
        self._tutor = TutorPrompt()

    def talk(self, context: TutorContext) -> Talk:
        """The talk so far, and the turn to answer."""
        return Talk(
            instructions=self._tutor.system(context, self._scripts.get(context.scenario_id)),
            digest=digest(context.lines),
            lines=context.lines,
            turn=Line("learner", context.turn or OPENING),
        )
