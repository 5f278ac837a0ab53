"""Asks a language model to tell before its answer whether the learner had finished."""

from dataclasses import replace
from typing import Final

from services.ai_engine.prompts.prompt import Message, Prompt

_WISH: Final = (
    "Begin your answer with exactly one mark, then answer as if the learner had finished. ✓: they have. ○: they broke "
    "off and will go on at once. ◐: they want time to think. The mark is not spoken."
)


def with_marks(prompt: Prompt) -> Prompt:
    """The prompt with that wish after its instructions."""
    system, *chat = prompt.messages
    return replace(prompt, messages=(Message(system.role, f"{system.content}\n\n{_WISH}"), *chat))
