"""The words of what was said: as they are counted, and as they are searched."""

import re
import unicodedata
from typing import Final

#: What is longer is no word anybody learns; it is neither counted nor searched for.
LONGEST_WORD: Final = 40

_WORD: Final = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
_PART: Final = re.compile(r"[^\W_]+")


def words(text: str) -> list[str]:
    """The words in order, in small letters. "Don't" is one; so is what stands between two spaces in Chinese."""
    found = _WORD.findall(text.casefold().replace("\u2019", "'"))
    return _learnt(found)


def search_words(text: str) -> list[str]:
    """The words in order as both databases see them: letters and digits, without accents."""
    plain = text.casefold()
    if not plain.isascii():
        marked = unicodedata.normalize("NFKD", plain)
        plain = "".join(letter for letter in marked if not unicodedata.combining(letter))
    return _learnt(_PART.findall(plain))


def _learnt(found: list[str]) -> list[str]:
    """Those that are not too long; to see that all are is much faster than to choose."""
    if max(map(len, found), default=0) <= LONGEST_WORD:
        return found
    return [word for word in found if len(word) <= LONGEST_WORD]
