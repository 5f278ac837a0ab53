"""Builds the prompt of a language model from the templates beside this file and a tutor's context."""

from collections.abc import Iterable, Mapping
from typing import Final, assert_never

from services.ai_engine.domain.roles import CefrLevel, CorrectionStyle, Line, ToolUse, TutorContext
from services.ai_engine.prompts.about import AboutLearner
from services.ai_engine.prompts.budget import estimated_tokens, latest_that_fit
from services.ai_engine.prompts.languages import language_name
from services.ai_engine.prompts.prompt import Message, Prompt
from services.ai_engine.prompts.quoting import quoted, said
from services.ai_engine.prompts.templates import PromptTemplate
from services.ai_engine.tutor.script import Script

#: What the learner "says" where the tutor opens: chat models want a message to answer.
OPENING: Final = "(The learner has just arrived. Greet them and begin.)"
#: Where another tutor broke off in the middle of an answer.
_GO_ON: Final = "(Your line broke off there. Go on with the very next word; repeat nothing, explain nothing.)"
_FREE_TALK: Final = "Sam, a friendly neighbour who likes short stories from daily life."
#: Letters of what a function answered, in such a note.
_NOTED: Final = 2000
#: Estimated tokens a prompt may have where nobody says otherwise.
BUDGET: Final = 3000


class TutorPrompt:
    """The templates, read once. `brief` is for models so small that a long prompt costs more than it gives."""

    def __init__(self, scripts: Mapping[str, Script], *, budget: int = BUDGET, brief: bool = False) -> None:
        self._scripts = scripts
        self._budget = budget
        self._template = PromptTemplate.read("tutor_brief" if brief else "tutor")
        self._about = None if brief else AboutLearner()

    def prompt(self, context: TutorContext) -> Prompt:
        """The whole chat: instructions, the latest lines that fit, and the turn."""
        system = Message("system", self.system(context))
        asked = [Message("user", said(context.turn) or ("" if context.tool_uses else OPENING))]
        if context.tool_uses:
            asked.append(_used(context.tool_uses))
        if context.begun:
            asked += [Message("assistant", context.begun), Message("user", _GO_ON)]
        room = self._budget - sum(estimated_tokens(each.content) for each in (system, *asked))
        kept = latest_that_fit(context.lines, room)
        dropped = context.lines[: len(context.lines) - len(kept)]
        due = context.lines[: len(context.lines) - len(latest_that_fit(kept, room // 2))] if dropped else ()
        messages = (system, *_alternating((*map(_message, kept), *asked)))
        return Prompt(messages, self._template.version, self._budget, dropped, due)

    def system(self, context: TutorContext) -> str:
        """The instructions, which stay the same for a whole conversation unless more is known of the learner."""
        script, style = self._scripts.get(context.scenario_id), context.learner.correction_style
        level = context.learner.level or (script.scenario.level if script else "A2")
        return self._template.filled(
            language=language_name(context.learner.target_language),
            persona=_closed(script.persona if script else _FREE_TALK),
            setting=_closed(script.setting if script else "A bench in front of the house, in the evening."),
            tutor_role=script.scenario.tutor_role if script else "Sam, a friendly neighbour",
            learner_role=script.scenario.learner_role if script else "themselves",
            goals=_goals(script),
            level=level,
            level_advice=_level_advice(level),
            correction_advice=_correction_advice(style),
            about=self._about.text(context, self._budget // 2) if self._about else "",
        )


def _message(line: Line) -> Message:
    return Message("user" if line.speaker == "learner" else "assistant", said(line.text))


def _used(uses: tuple[ToolUse, ...]) -> Message:
    """What functions answered, for models that know of none as a note."""
    return Message("user", "\n".join(f"({use.name} answered: {quoted(use.output, _NOTED)})" for use in uses), uses)


def _goals(script: Script | None) -> str:
    if script is None:
        return "- Have a relaxed chat"
    return "\n".join(f"- {goal.title}" for goal in script.scenario.goals)


def _level_advice(level: CefrLevel) -> str:
    match level:
        case "A1" | "A2":
            return "Use everyday words and short main clauses in the present and the simple past."
        case "B1" | "B2":
            return "Use natural, clear language; explain rare words by simpler ones."
        case "C1" | "C2":
            return "Speak as you would with a native speaker."
        case _:
            assert_never(level)


def _correction_advice(style: CorrectionStyle) -> str:
    match style:
        case "recast":
            return "When the learner makes a slip, use the right form in passing in your answer; do not explain it."
        case "cards_only" | "afterwards":
            return "Do not correct the learner; others do that after the talk."
        case _:
            assert_never(style)


def _alternating(messages: Iterable[Message]) -> tuple[Message, ...]:
    """Joins neighbours of one speaker and drops empty ones: many chat templates refuse anything else."""
    joined: list[Message] = []
    for message in messages:
        if not message.content.strip():
            continue
        if joined and joined[-1].role == message.role and not (joined[-1].uses or message.uses):
            joined[-1] = Message(message.role, f"{joined[-1].content} {message.content}")
        else:
            joined.append(message)
    return tuple(joined)


def _closed(text: str) -> str:
    return text if text.endswith(".") else f"{text}."
