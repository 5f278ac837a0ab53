"""Makes words of letters with times."""

from services.ai_engine.domain.roles import Word


class Spelling:
    """Takes letters in order and gives the words that are complete: those with white space behind them."""

    def __init__(self) -> None:
        self._words: list[Word] = []
        self._text = ""
        self._start_s = self._end_s = 0.0

    def add(self, letter: str, start_s: float, end_s: float) -> None:
        """Takes the next letter."""
        if letter.isspace():
            self._end_word()
            return
        # Vendors round to a millisecond; words never overlap.
        start_s = max(start_s, self._end_s)
        if not self._text:
            self._start_s = start_s
        self._text += letter
        self._end_s = max(start_s, end_s)

    def take(self) -> tuple[Word, ...]:
        """The words that were completed since this was last asked."""
        words, self._words = tuple(self._words), []
        return words

    def flush(self) -> tuple[Word, ...]:
        """The same at the end of the text: its last word is complete."""
        self._end_word()
        return self.take()

    def _end_word(self) -> None:
        if self._text:
            self._words.append(Word(self._text, self._start_s, self._end_s))
            self._text = ""
