"""Asks a language model for the slips in a learner's turn as data, and reads what it answers with distrust."""

import json
from pathlib import Path
from string import Template
from typing import Final, Literal

from services.ai_engine.domain.roles import CorrectionFound, TutorContext

#: Raised with each change of wording.
VERSION: Final = "corrections.v1"

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
_TEMPLATE: Final = Path(__file__).parent / "corrections.v1.txt"


def corrections_prompt(context: TutorContext) -> str:
    """The instructions; the line to check is the turn itself."""
    learner = context.learner
    native = " ".join(learner.native_language.split())[:35]
    explained = f", in the language with the code {native}" if native and learner.level in ("A1", "A2") else ""
    template = Template(_TEMPLATE.read_text(encoding="utf-8"))
    return template.substitute(language=learner.target_language, explained=explained).strip()


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
