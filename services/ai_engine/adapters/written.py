"""Finds words that a vendor tells bare in the text as it was written, with its punctuation."""


class Written:
    """One text, gone through from its start."""

    def __init__(self, text: str) -> None:
        self._words = text.split()
        self._next = 0

    @property
    def is_found(self) -> bool:
        """Whether nothing of it is left to find."""
        return not any(map(_key, self._words[self._next :]))

    def find(self, bare: str) -> str | None:
        """The next written word that holds `bare`; None where it is part of the last one, or of none.

        "well-known" is told as two words and written as one: the first finds it, the second finds none.
        """
        key = _key(bare)
        for place in range(self._next, len(self._words)):
            if key and key in _key(self._words[place]):
                self._next = place + 1
                return self._words[place]
        return None


def _key(word: str) -> str:
    return "".join(letter for letter in word.casefold() if letter.isalnum())
