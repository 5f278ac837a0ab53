"""Asks a language model for the slips in a learner's turn as data, and reads what it answers with distrust."""

import json
from typing import Final, Literal

from services.ai_engine.domain.roles import CorrectionFound, TutorContext
from services.ai_engine.prompts.languages import language_name
from services.ai_engine.prompts.templates import PromptTemplate

#: The shape of the answer, as JSON schema in the subset that vendors' structured outputs share.
SCHEMA: Final[dict[str, object]] = {
    "type": "object",
    "properties": {
        "slips": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "kind": {"type": "string", "enum": ["grammar", "vocabulary"]},
                    "said": {"type": "string", "description": "The wrong words, exactly as they stand in the line."},
                    "better": {"type": "string", "description": "What to say instead of these words."},
                    "explanation": {"type": "string"},
                },
                "required": ["kind", "said", "better", "explanation"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["slips"],
    "additionalProperties": False,
}

_MOST: Final = 3
_LONGEST: Final = 200


def corrections_prompt(context: TutorContext) -> str:
    """The instructions; the line to check is the turn itself."""
    learner = context.learner
    beginner = learner.native_language and learner.level in ("A1", "A2")
    explained = f", in {language_name(learner.native_language)}" if beginner else ""
    return PromptTemplate.read("corrections").filled(
        language=language_name(learner.target_language), explained=explained
    )


def read_corrections(answer: str, turn: str, source: str) -> tuple[CorrectionFound, ...]:
    """The slips in the answer that really stand in the turn, and really change it. Never raises: garbage is nothing."""
    try:
        slips = json.loads(answer)["slips"]
    except (ValueError, KeyError, TypeError):
        return ()
    found = [_slip(slip, turn, source) for slip in slips[:_MOST]] if isinstance(slips, list) else []
    return tuple(slip for slip in found if slip is not None)


def _slip(slip: object, turn: str, source: str) -> CorrectionFound | None:
    if not isinstance(slip, dict):
        return None
    said, better, explanation = (str(slip.get(name, "")).strip() for name in ("said", "better", "explanation"))
    start = turn.casefold().find(said.casefold()) if said else -1
    if start < 0 or not better or better.casefold() == said.casefold():
        return None
    kind: Literal["grammar", "vocabulary"] = "vocabulary" if slip.get("kind") == "vocabulary" else "grammar"
    end = start + len(said)
    return CorrectionFound(
        kind, turn[start:end], better[:_LONGEST], explanation[:_LONGEST], start=start, end=end, source=source
    )
