"""Turns played samples into the text that was heard: the only thing the tutor remembers having said."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.conversation.domain.things import Word


@dataclass(frozen=True, slots=True)
class Clause:
    """A piece of a reply's text and the sample its sound begins at."""

    text: str
    first_sample: int


def heard_text(clauses: Sequence[Clause], words: Sequence[Word], played: int, total: int, *, complete: bool) -> str:
    """The part of the reply's text that `played` samples of `total` made audible: always a prefix of it.

    A word counts when its last sample was played. Where the engine tells no word times, each clause is taken to be
    spoken evenly, and cut before the word that was not finished. `complete` says that `total` is all there will be.
    """
    text = "".join(clause.text for clause in clauses)
    if played <= 0 or not clauses:
        # Of a reply of sound alone, or one whose words come later, no text was heard.
        return ""
    if complete and played >= total:
        return text.strip()
    if words:
        return _by_words(text, words, played)
    return _by_share(clauses, played, total)


def _by_words(text: str, words: Sequence[Word], played: int) -> str:
    end = 0
    for word in words:
        if word.end_sample > played:
            break
        # Where the speaker wrote a word otherwise ("3" for "three"), the next one found makes up for it.
        found = text.find(word.text, end)
        if found >= 0:
            end = found + len(word.text)
    return text[:end].strip()


def _by_share(clauses: Sequence[Clause], played: int, total: int) -> str:
    heard = ""
    ends = [clause.first_sample for clause in clauses[1:]] + [total]
    for clause, end in zip(clauses, ends, strict=True):
        if played >= end:
            heard += clause.text
            continue
        if played > clause.first_sample:
            share = (played - clause.first_sample) / (end - clause.first_sample)
            heard += _whole_words(clause.text, int(share * len(clause.text)))
        break
    return heard.strip()


def _whole_words(text: str, length: int) -> str:
    if length >= len(text) or text[length].isspace():
        return text[:length]
    return text[: max(text.rfind(" ", 0, length), 0)]
