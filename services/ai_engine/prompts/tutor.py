"""Builds the prompt of a language model from the templates beside this file and a tutor's context."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Literal, assert_never

from services.ai_engine.domain.roles import CefrLevel, CorrectionStyle, Learner, TutorContext
from services.ai_engine.tutor.script import Script

#: Raised with each change of wording, so that answers can be traced to the prompt that asked for them.
VERSION = "tutor.v1"

#: What the learner "says" where the tutor opens: chat models want a message to answer.
OPENING = "(The learner has just arrived. Greet them and begin.)"
#: Where another tutor broke off in the middle of an answer.
_GO_ON = "(Your line broke off there. Go on with the very next word; repeat nothing, explain nothing.)"
_FREE_TALK = "Sam, a friendly neighbour who likes short stories from daily life."
_FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a chat."""

    role: Literal["system", "user", "assistant"]
    content: str


class TutorPrompt:
    """The templates, read once. `brief` is for models so small that a long prompt costs more than it gives."""

    def __init__(self, *, brief: bool = False) -> None:
        name = "tutor_brief.v1.txt" if brief else "tutor.v1.txt"
        self._template = Template((_FOLDER / name).read_text(encoding="utf-8"))

    def messages(self, context: TutorContext, script: Script | None, *, most_lines: int) -> tuple[Message, ...]:
        """The whole chat: instructions, at most `most_lines` of what was said before, and the turn."""
        earlier = context.lines[-most_lines:] if most_lines else ()
        said = (Message("user" if line.speaker == "learner" else "assistant", line.text) for line in earlier)
        system = Message("system", self.system(context, script))
        asked = [Message("user", context.turn or OPENING)]
        if context.begun:
            asked += [Message("assistant", context.begun), Message("user", _GO_ON)]
        return (system, *_alternating((*said, *asked)))

    def system(self, context: TutorContext, script: Script | None) -> str:
        """The instructions, which stay the same for a whole conversation unless facts or due items change."""
        learner = context.learner
        level = learner.level or (script.scenario.level if script else "A2")
        filled = self._template.substitute(
            persona=_closed(script.persona if script else _FREE_TALK),
            setting=_closed(script.setting if script else "A bench in front of the house, in the evening."),
            tutor_role=script.scenario.tutor_role if script else "Sam, a friendly neighbour",
            learner_role=script.scenario.learner_role if script else "themselves",
            goals=_listed(goal.title for goal in script.scenario.goals) if script else "- Have a relaxed chat",
            name=f" is called {_one_line(learner.display_name)} and" if learner.display_name else "",
            level=level,
            level_advice=_level_advice(level),
            correction_advice=_correction_advice(learner.correction_style),
            extras=_extras(context, learner),
        )
        return filled.strip()


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


def _extras(context: TutorContext, learner: Learner) -> str:
    parts = []
    if learner.native_language:
        parts.append(f"The learner's first language has the code {_one_line(learner.native_language)}.")
    if context.facts:
        parts.append("Known about the learner, to be used sparingly:\n" + _listed(context.facts))
    if context.due_items:
        parts.append("If they fit, bring up one or two of these words for review:\n" + _listed(context.due_items))
    return "\n".join(parts)


def _alternating(messages: Iterable[Message]) -> tuple[Message, ...]:
    """Joins neighbours of one speaker and drops empty ones: many chat templates refuse anything else."""
    joined: list[Message] = []
    for message in messages:
        if not message.content.strip():
            continue
        if joined and joined[-1].role == message.role:
            joined[-1] = Message(message.role, f"{joined[-1].content} {message.content}")
        else:
            joined.append(message)
    return tuple(joined)


def _listed(texts: Iterable[str]) -> str:
    return "\n".join(f"- {_one_line(text)}" for text in texts)


def _one_line(text: str) -> str:
    """Data about people must not look like further instructions: no line breaks."""
    return " ".join(text.split())


def _closed(text: str) -> str:
    return text if text.endswith(".") else f"{text}."
