"""The level at which learners of English meet a word, from the list that `cefrpy` carries."""

from functools import lru_cache
from typing import Final

from cefrpy import CEFRAnalyzer

_ENGLISH: Final = ("", "en")
_REMEMBERED: Final = 50_000


class Levels:
    """Looks words up; takes a third of a second to open, and blocks."""

    def __init__(self) -> None:
        self._words = CEFRAnalyzer()
        self.of = lru_cache(_REMEMBERED)(self._of)

    def _of(self, word: str, language: str) -> int:
        """1 (A1) to 6 (C2); 0 for a word that is not listed, and for other languages than English."""
        if language.partition("-")[0].lower() not in _ENGLISH:
            return 0
        level = self._words.get_average_word_level_CEFR(word)
        return 0 if level is None else int(level)
