"""Refuses passwords that are guessed or known already, when they are set."""

import hashlib
import unicodedata
from bisect import bisect_left
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from zxcvbn import zxcvbn

from mesh.errors import InvalidFieldError

#: Made by `tools/breached_passwords.py`: sorted digests of passwords that were stolen elsewhere.
FILE: Final = Path(__file__).with_name("breached_passwords.bin")
_DIGEST_BYTES: Final = 6
#: zxcvbn's time grows with the square of the length and worse: 25 ms for so many characters, over a second for 72.
_JUDGED_LENGTH: Final = 32
#: Of 0 to 4: from here on it takes more than a hundred million guesses.
_LEAST_SCORE: Final = 3
_SHORTEST_WORD: Final = 3


class PasswordPolicy:
    """There are no rules about kinds of characters: they make passwords worse (NIST SP 800-63B, 3.1.1)."""

    def __init__(self, breached: bytes) -> None:
        self._breached = breached

    def check(self, password: str, about: Sequence[str], field: str) -> None:
        """Checks a password in its normal form. `about` is what others know of its owner. Takes up to 25 ms.

        Raises:
            InvalidFieldError: it was stolen elsewhere, or is easy to guess; `field` names it.
        """
        if self._knows(digest(password)):
            raise InvalidFieldError(
                f"{field} is on a list of passwords that were stolen elsewhere; choose one that you use nowhere else.",
                field=field,
            )
        if zxcvbn(password[:_JUDGED_LENGTH], user_inputs=_words(about))["score"] < _LEAST_SCORE:
            raise InvalidFieldError(
                f"{field} is too easy to guess; take a few words that have nothing to do with each other or with you.",
                field=field,
            )

    def _knows(self, wanted: bytes) -> bool:
        def at(index: int) -> bytes:
            return self._breached[index * _DIGEST_BYTES : (index + 1) * _DIGEST_BYTES]

        count = len(self._breached) // _DIGEST_BYTES
        found = bisect_left(range(count), wanted, key=at)
        return found < count and at(found) == wanted


def open_policy() -> PasswordPolicy:
    """Reads the list. Blocks."""
    return PasswordPolicy(FILE.read_bytes())


def digest(password: str) -> bytes:
    """What the list keeps of a password: the same for capitals and small letters."""
    normal = unicodedata.normalize("NFKC", password).casefold()
    return hashlib.sha256(normal.encode()).digest()[:_DIGEST_BYTES]


def _words(about: Sequence[str]) -> list[str]:
    """Names and addresses, and their parts."""
    parts = (part for text in about for part in [text, *text.replace("@", " ").replace(".", " ").split()])
    return ["vivavoce", *(part.casefold() for part in parts if len(part) >= _SHORTEST_WORD)]
