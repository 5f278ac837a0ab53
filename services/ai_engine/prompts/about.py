"""What is known about a learner, as data between marks that nothing within can close."""

from typing import Final

from services.ai_engine.domain.roles import TutorContext
from services.ai_engine.prompts.budget import first_that_fit
from services.ai_engine.prompts.quoting import listed, quoted
from services.ai_engine.prompts.templates import PromptTemplate

_LONGEST_SUMMARY: Final = 2000


class AboutLearner:
    """Reads its template once."""

    def __init__(self) -> None:
        self._template = PromptTemplate.read("about")

    def text(self, context: TutorContext, most_tokens: int) -> str:
        """The part of the instructions that tells of the learner; empty where nothing is known.

        Of each list the first entries that fit into a quarter of `most_tokens` are told.
        """
        entries = [*_single(context), *_lists(context, most_tokens // 4)]
        return self._template.filled(entries="\n".join(entries)) if entries else ""


def _single(context: TutorContext) -> list[str]:
    learner, summary = context.learner, context.summary.text
    entries = []
    if learner.display_name:
        entries.append(f"Name: {quoted(learner.display_name, 100)}")
    if learner.native_language:
        entries.append(f"Code of their first language: {quoted(learner.native_language, 35)}")
    if summary:
        entries.append(f"What was said earlier in this talk: {quoted(summary, _LONGEST_SUMMARY)}")
    return entries


def _lists(context: TutorContext, tokens: int) -> list[str]:
    learner = context.learner
    lists = (
        ("Wants to reach:", learner.goals),
        ("Likes to talk about:", learner.interests),
        ("Known about them:", context.facts),
        ("Words for review; if they fit, bring up one or two:", context.due_items),
    )
    told = ((title, first_that_fit(texts, tokens)) for title, texts in lists)
    return [f"{title}\n{listed(texts)}" for title, texts in told if texts]
