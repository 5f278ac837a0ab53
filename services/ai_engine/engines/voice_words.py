"""Estimates when each word of an answer sounds, where the vendor does not tell: at the pace of ordinary speech."""

from typing import Final

from services.ai_engine.domain.roles import Word

#: Seconds a letter takes, and the gap after a word counts as one; a sentence's end takes as long as so many.
_LETTER_S: Final = 0.068
_PAUSE_LETTERS: Final = 4


class WordClock:
    """The words of one answer. Text runs ahead of the sound; where it does not, a word can't sound before it came."""

    def __init__(self) -> None:
        self._rest = ""
        self._at_s = 0.0

    def write(self, text: str) -> list[Word]:
        """Takes more text; gives the words that are whole, as far as white space or the next piece shows it."""
        self._rest += text
        *whole, self._rest = self._rest.split(" ") if self._rest else [""]
        return [self._word(word) for word in whole if word.strip()]

    def flush(self) -> list[Word]:
        """The last word."""
        rest, self._rest = self._rest.strip(), ""
        return [self._word(rest)] if rest else []

    def sounded(self, until_s: float) -> None:
        """So much sound has come: what is written from now on sounds later."""
        self._at_s = max(self._at_s, until_s)

    def _word(self, word: str) -> Word:
        begin_s = self._at_s
        end_s = begin_s + _LETTER_S * len(word)
        pause = _PAUSE_LETTERS if word[-1:] in ".!?…" else 1
        self._at_s = end_s + _LETTER_S * pause
        return Word(word.strip(), begin_s, end_s)
