"""The sentences of what was said."""

import re
from typing import Final

from services.history.domain.words import words

_END: Final = re.compile(r"(?<=[.!?])\s+")


def sentence_with(word: str, text: str) -> str:
    """The first sentence that holds the word; the whole text where none does."""
    return next((sentence for sentence in _END.split(text) if word in words(sentence)), text)


def sentence_around(text: str, start: int, end: int) -> tuple[int, int]:
    """Where the sentence begins and ends that holds the characters from `start` up to `end`."""
    begins = [0, *(found.end() for found in _END.finditer(text))]
    begin = max(place for place in begins if place <= start)
    after = min((place for place in begins if place >= end), default=len(text))
    return begin, begin + len(text[begin:after].rstrip())
