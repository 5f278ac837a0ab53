"""Finds slips that learners of English make when they speak, by rules that are wrong in every dialect."""

import re
from collections.abc import Iterator
from typing import Final

from services.ai_engine.domain.roles import CorrectionFound
from services.ai_engine.tutor.rule_book import english

SOURCE: Final = "vivavoce"

_MADE_REGULAR: Final = re.compile(r"\b([a-z']+ )?([a-z]+ed)\b", re.IGNORECASE)
_PARTICIPLE_AFTER: Final = frozenset(
    {"have", "has", "had", "i've", "we've", "you've", "they've", "haven't", "hasn't", "been"}
)
_AUXILIARIES: Final = frozenset({"be", "do", "have"})
_SENTENCE_BEGINS: Final = re.compile(r"(?:^|[.!?]\s*)$")


def slips(text: str) -> tuple[CorrectionFound, ...]:
    """The slips of a turn in the order they stand, none overlapping; where two do, the earlier and longer counts."""
    found: list[CorrectionFound] = []
    for slip in sorted((*_by_rule(text), *_made_regular(text)), key=lambda one: (one.start, -one.end)):
        if not found or slip.start >= found[-1].end:
            found.append(slip)
    return tuple(found)


def mended(text: str, found: tuple[CorrectionFound, ...]) -> str:
    """The text with its slips mended."""
    for slip in reversed(found):
        text = text[: slip.start] + slip.better + text[slip.end :]
    return text


def _by_rule(text: str) -> Iterator[CorrectionFound]:
    book = english()
    for rule in book.rules:
        for match in rule.find.finditer(text):
            if rule.applies(text, match):
                better = _capital_like(text, match.start(), book.better(rule, match))
                if better.lower() != match[0].lower():
                    yield _slip(match.start(), match[0], better, rule.why)


def _made_regular(text: str) -> Iterator[CorrectionFound]:
    """Irregular verbs with "-ed"."""
    book = english()
    for match in _MADE_REGULAR.finditer(text):
        word = match[2].lower()
        verb = _regular_of(word)
        if verb is None or word in book.real_words:
            continue
        participle = (match[1] or "").strip().lower() in _PARTICIPLE_AFTER
        better = book.forms.participle(verb) if participle else book.forms.past(verb)
        yield _slip(match.start(2), match[2], better, "This verb is irregular.")


def _regular_of(word: str) -> str | None:
    """The irregular verb that was made regular: "goed", "taked", "swimmed", "flied"."""
    stem = word.removesuffix("ed")
    candidates = [stem, f"{stem}e"]
    if stem[-1:] == stem[-2:-1]:
        candidates.append(stem[:-1])
    if stem.endswith("i"):
        candidates.append(f"{stem[:-1]}y")
    known = english().irregular.keys() - _AUXILIARIES
    return next((verb for verb in candidates if verb in known), None)


def _slip(start: int, said: str, better: str, explanation: str) -> CorrectionFound:
    return CorrectionFound(
        kind="grammar",
        said=said,
        better=better,
        explanation=explanation,
        start=start,
        end=start + len(said),
        source=SOURCE,
    )


def _capital_like(text: str, start: int, better: str) -> str:
    """With a capital where the sentence begins with one."""
    begins = text[start : start + 1].isupper() and _SENTENCE_BEGINS.search(text[:start])
    return better[:1].upper() + better[1:] if begins else better
