"""Finds the words of a turn that learners meet above the level of who said it, in the list that `cefrpy` carries."""

import re
from functools import lru_cache
from typing import Final, get_args

from cefrpy import CEFRAnalyzer

from services.ai_engine.domain.remarks import LeveledWord, SaidTurn, Vocabulary
from services.ai_engine.domain.roles import CefrLevel

_LEVELS: Final = get_args(CefrLevel)
#: The list puts at C2 whatever is rare, slips of the recogniser too: that a word is there tells nothing.
_HIGHEST: Final = 5
_MOST: Final = 5
_NAME: Final = "NNP"
_WORD: Final = re.compile(r"[A-Za-z]+(?:['\u2019-][A-Za-z]+)*")
_SENTENCE_BEGINS: Final = re.compile(r"(?:^|[.!?]\s*)$")


class LevelList:
    """The list as a judge of vocabulary. Takes about a second to open, and blocks."""

    def __init__(self) -> None:
        self._words = CEFRAnalyzer()
        self._level_of = lru_cache(20_000)(self._level)

    def __call__(self, turn: SaidTurn) -> Vocabulary | None:
        """None where no word is sure to be above the level, where that is not known, and in languages but English."""
        if turn.level is None or turn.language.partition("-")[0].lower() != "en":
            return None
        own = _LEVELS.index(turn.level) + 1
        above: dict[str, LeveledWord] = {}
        for match in _WORD.finditer(turn.text):
            word, folded = match[0], match[0].casefold()
            if folded in above or _looks_like_a_name(turn.text, match):
                continue
            if own < (level := self._level_of(folded)) <= _HIGHEST:
                above[folded] = LeveledWord(word, _LEVELS[level - 1], match.start(), match.end())
        return Vocabulary(turn.level, tuple(above.values())[:_MOST]) if above else None

    def _level(self, word: str) -> int:
        """The lowest at which it is met in any part of speech, 1 to 6; 0 for names and words that are not listed."""
        levels = [
            int(level)
            for tag in self._words.get_all_pos_for_word(word)
            if tag.name != _NAME and (level := self._words.get_word_pos_level_CEFR(word, tag)) is not None
        ]
        return min(levels, default=0)


def _looks_like_a_name(text: str, match: re.Match[str]) -> bool:
    return match[0][0].isupper() and not _SENTENCE_BEGINS.search(text[: match.start()])
