"""What a learner tells about themselves, as sentences the tutor may remember; found by rules, for English.

A rule is here only where what it finds can be said of the learner word for word, but for "my". The learner decides what
is kept.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from mesh.errors import InvalidFieldError

LONGEST_FACT: Final = 300
#: Proposed after a conversation at most.
_MOST: Final = 5

_NAME: Final = r"[A-Z][\w'-]+(?: [A-Z][\w'-]+)?"
#: Not one that points to somebody or something else: whom or what it means is not known later.
_WORD: Final = r"(?!(?:me|myself|us|our|you|yours?|him|his|her|them|their|it|its|this|that|these|those)\b)[a-z][\w'-]*"
_WORDS: Final = rf"{_WORD}(?: {_WORD}){{0,2}}?"
_STOP: Final = r"(?=[.,!?;]|$| and\b| but\b| because\b| so\b| with\b| in\b| at\b| for\b)"
_BEGIN: Final = r"(?:^|(?<=[.!?,;] )|(?<=\band )|(?<=\bbut ))"
_FAMILY: Final = (
    r"(?:an?|one|two|three|four|five) (?:(?:younger|older|little|big) )?"
    r"(?:brothers?|sisters?|sons?|daughters?|children|kids|dogs?|cats?)"
)


class Topic(Enum):
    """What a fact is about."""

    NAME = auto()
    HOME = auto()
    ORIGIN = auto()
    BIRTHPLACE = auto()
    WORK = auto()
    EMPLOYER = auto()
    FAMILY = auto()
    STATE = auto()
    LIKES = auto()


#: What is said, what it is about, and how it is remembered.
_RULES: Final = tuple(
    (topic, re.compile(_BEGIN + said), kept)
    for topic, said, kept in (
        (Topic.NAME, rf"[Mm]y name(?: is|'s) ({_NAME})", "The learner's name is {0}."),
        (Topic.HOME, rf"I live in ({_NAME})", "The learner lives in {0}."),
        (Topic.ORIGIN, rf"I(?: am|'m) from ({_NAME})", "The learner is from {0}."),
        (Topic.BIRTHPLACE, rf"I was born in ({_NAME})", "The learner was born in {0}."),
        (Topic.WORK, rf"I work as (an? {_WORDS}){_STOP}", "The learner works as {0}."),
        (Topic.EMPLOYER, rf"I work (?:for|at) ({_NAME})", "The learner works for {0}."),
        (Topic.FAMILY, rf"I(?: have|'ve got) ({_FAMILY})\b", "The learner has {0}."),
        (Topic.STATE, r"I(?: am|'m) (married|a student|retired|vegetarian|vegan)\b", "The learner is {0}."),
        (
            Topic.LIKES,
            rf"I(?: really)? (?:like|love|enjoy) ([a-z]+ing\b(?: {_WORDS})?){_STOP}",
            "The learner likes {0}.",
        ),
    )
)


@dataclass(frozen=True, slots=True)
class Fact:
    """Something the tutor may remember, once the learner has agreed."""

    fact_id: str
    text: str
    accepted: bool


def facts_in(texts: Iterable[str]) -> list[str]:
    """What the learner tells about themselves in these turns, each once."""
    found = dict.fromkeys(fact for text in texts for fact in _of_turn(text))
    return list(found)[:_MOST]


def detail_of(text: str) -> tuple[Topic, str] | None:
    """What a sentence of a rule is about, and that as one says it to the learner; None of what a person wrote."""
    for topic, _, kept in _RULES:
        before, after = kept.split("{0}")
        detail = text.removeprefix(before).removesuffix(after)
        if detail and f"{before}{detail}{after}" == text:
            return topic, re.sub(r"\btheir\b", "your", detail)
    return None


def digest_of(text: str) -> str:
    """What a fact is known by when it is proposed again, also once its text is gone."""
    return hashlib.sha256(" ".join(text.casefold().split()).encode()).hexdigest()


def check_fact(text: str) -> None:
    """Refuses what is no fact.

    Raises:
        InvalidFieldError: it is empty, too long, or holds what can't be stored.
    """
    if not text.strip() or len(text) > LONGEST_FACT or "\0" in text:
        raise InvalidFieldError(
            f"fact.text has 1 to {LONGEST_FACT} characters, none of them NUL; write a sentence.", field="fact.text"
        )


def _of_turn(text: str) -> Iterator[str]:
    for _, said, kept in _RULES:
        for found in said.finditer(text):
            # Said of a learner by another, "my" is "their".
            fact = kept.format(*(re.sub(r"\bmy\b", "their", part) for part in found.groups()))
            if len(fact) <= LONGEST_FACT:
                yield fact
