"""Asks a language model what went well in a conversation and what to try next, and reads its answer with distrust."""

import json
from typing import Final, NamedTuple

from services.ai_engine.adapters.beside import Wish
from services.ai_engine.domain.roles import TutorContext
from services.ai_engine.prompts.budget import latest_that_fit
from services.ai_engine.prompts.languages import language_name
from services.ai_engine.prompts.quoting import quoted
from services.ai_engine.prompts.templates import PromptTemplate

#: The shape of the answer, as JSON schema in the subset that vendors' structured outputs share.
_SCHEMA: Final[dict[str, object]] = {
    "type": "object",
    "properties": {"praise": {"type": "string"}, "next_step": {"type": "string"}},
    "required": ["praise", "next_step"],
    "additionalProperties": False,
}
#: Tokens of the conversation that are told, the last of it.
_TOKENS: Final = 4000
_LONGEST_LINE: Final = 500
_LONGEST: Final = 400


class WrittenReport(NamedTuple):
    """What went well, and the one next step; either may be empty."""

    praise: str
    next_step: str


def report_wish(context: TutorContext) -> Wish:
    """What to ask of a model."""
    learner = context.learner
    target = language_name(learner.target_language)
    beginner = learner.native_language and learner.level in ("A1", "A2")
    told_in = language_name(learner.native_language) if beginner else f"plain {target}"
    lines = latest_that_fit(context.lines, _TOKENS)
    text = "\n".join(f"{line.speaker}: {quoted(line.text, _LONGEST_LINE)}" for line in lines)
    return Wish(PromptTemplate.read("report").filled(language=target, told_in=told_in), text, _SCHEMA)


def read_report(answer: str) -> WrittenReport:
    """The report in an answer, each part on one line. Never raises: of garbage both are empty."""
    try:
        found = json.loads(answer)
        told = (found.get("praise"), found.get("next_step"))
    except (ValueError, AttributeError):
        return WrittenReport("", "")
    return WrittenReport(*(" ".join(part.split())[:_LONGEST] if isinstance(part, str) else "" for part in told))
