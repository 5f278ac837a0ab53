"""Asks the Harper grammar checker for slips, and believes only the rules that proved right on spoken English."""

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Protocol

import harper

from services.ai_engine.domain.roles import CorrectionFound
from services.ai_engine.tutor.slips import slips

#: Longest text checked, in characters.
_LONGEST = 1_000

#: Rules measured right on learners' sentences and silent on right ones, with what to tell the learner.
#: Spelling, capitals and apostrophes are the recogniser's, not the learner's: none of those rules is here.
_EXPLANATIONS = {
    "AdjectiveDoubleDegree": 'One comparison is enough: the word itself already means "more" or "most".',
    "AnA": 'We say "an" before a vowel sound and "a" before other sounds.',
    "AnAnother": '"Another" already contains "an".',
    "DidPast": 'After "did" the verb stays in its basic form.',
    "FriendOfMe": 'After "a friend of" we say "mine", "yours" and so on.',
    "InterestedIn": 'We are interested "in" something.',
    "JealousOf": 'We are jealous "of" somebody.',
    "MoreBetter": 'One comparison is enough: the word itself already means "more" or "most".',
    "PronounInflectionBe": 'The form of "be" goes with its subject.',
    "PronounVerbAgreement": "The form of the verb goes with its subject.",
    "RegularIrregulars": "This word has an irregular form.",
    "SimplePastToPastParticiple": 'After "have" comes the past participle.',
    "SinceDuration": 'For a length of time we say "for"; "since" goes with a moment.',
    "WillNonLemma": 'After "will" the verb stays in its basic form.',
}
_SUBJECT_FIRST = re.compile(
    r"(?:^|[.!?,;]\s*|\b(?:but|because|so|and then)\s+)(?:he|she|it|i)"
    r"(?:\s+(?:always|usually|often|never|also|really))?\s+$",
    re.IGNORECASE,
)
_PLAIN_VOWEL = re.compile(r"\s+(?!one\b|once\b|eu|ew)[aeio][a-z]{2,}\b", re.IGNORECASE)
_PLAIN_CONSONANT = re.compile(r"\s+[bcdfgjkpqtvwz][a-z]{2,}\b", re.IGNORECASE)


class GrammarCheck(Protocol):
    """Finds slips in a turn."""

    def __call__(self, text: str) -> tuple[CorrectionFound, ...]:
        """The slips, in the order they stand, none overlapping. Pure, and blocks for some milliseconds."""
        ...


class HarperCheck:
    """Our own patterns and Harper's together. Not thread-safe: one thread at a time.

    The first check loads both, which takes about a second; later ones take a millisecond or two.
    """

    def __call__(self, text: str) -> tuple[CorrectionFound, ...]:
        """The slips of both, ours before Harper's where they overlap."""
        checked = text[:_LONGEST]
        found = list(slips(checked))
        for slip in self._harper(checked):
            # A slip right after it changes what has to stand here ("a informations").
            if all(slip.end + 1 < other.start or other.end <= slip.start for other in found):
                found.append(slip)
        return tuple(sorted(found, key=lambda one: one.start))

    @cached_property
    def _linter(self) -> harper.Linter:
        linter = harper.Linter(harper.Dialect.AMERICAN)
        linter.set_lint_config({rule: rule in _EXPLANATIONS for rule in harper.get_default_lint_config()})
        return linter

    def _harper(self, text: str) -> Iterator[CorrectionFound]:
        for rule, lints in self._linter.organized_lints(text, language="plaintext").items():
            for lint in lints if rule in _EXPLANATIONS else ():
                better = _replacement(lint)
                if better and _sure(rule, text, lint, better):
                    yield CorrectionFound(
                        kind="grammar",
                        said=lint.problem_text,
                        better=better,
                        explanation=_EXPLANATIONS[rule],
                        start=lint.span.start,
                        end=lint.span.end,
                        source="harper",
                    )


def _replacement(lint: harper.Lint) -> str:
    """What stands there after the first suggestion; empty where there is no clear one."""
    if not lint.suggestions:
        return ""
    first = lint.suggestions[0]
    match first.kind:
        case harper.SuggestionKind.REPLACE:
            return first.replacement_text
        case harper.SuggestionKind.INSERT_AFTER:
            return lint.problem_text + first.replacement_text
        case harper.SuggestionKind.REMOVE:
            return ""


def _sure(rule: str, text: str, lint: harper.Lint, better: str) -> bool:
    before, after = text[: lint.span.start], text[lint.span.end :]
    match rule:
        case "PronounVerbAgreement":
            # "I suggest he go" and "you and she have" are right: only a subject that opens its clause counts.
            return _SUBJECT_FIRST.search(before) is not None
        case "AnA":
            expected = _PLAIN_VOWEL if better.lower() == "an" else _PLAIN_CONSONANT
            return expected.match(after) is not None
        case "RegularIrregulars":
            return lint.suggestion_count == 1
        case _:
            return True
