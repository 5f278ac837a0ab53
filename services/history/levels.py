"""The level at which learners of English meet a word, from the list that `cefrpy` carries."""

from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cefrpy import CEFRAnalyzer

from services.history.domain.languages import is_english

_REMEMBERED: Final = 50_000
#: The list puts these at B2 to C2; whoever speaks has them, and nobody need learn them.
_CRIES: Final = frozenset({"oh", "ah", "aha", "wow", "ouch", "oops", "ugh", "huh", "hm", "hmm", "mm", "uh"})
_LOWEST: Final = 1


class Levels:
    """Looks words up, and blocks. The list is read at the first word, which takes a third of a second."""

    def __init__(self) -> None:
        self.of = lru_cache(_REMEMBERED)(self._of)

    def _of(self, word: str, language: str) -> int:
        """1 (A1) to 6 (C2); 0 for a word that is not listed, and for other languages than English."""
        if not is_english(language):
            return 0
        if word in _CRIES:
            return _LOWEST
        level = self._words.get_average_word_level_CEFR(word)
        return 0 if level is None else int(level)

    @cached_property
    def _words(self) -> "CEFRAnalyzer":
        # Importing it reads the list, for which no start should wait.
        from cefrpy import CEFRAnalyzer

        return CEFRAnalyzer()
