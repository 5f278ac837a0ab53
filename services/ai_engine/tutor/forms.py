"""The forms of English words that the rules about slips need: of verbs, nouns and adjectives, and who they go with."""

from collections.abc import Mapping, Sequence
from typing import Final

_BE: Final = {"i": "am", "he": "is", "she": "is", "it": "is"}
_WERE: Final = frozenset({"we", "you", "they"})
_OBJECT: Final = {"i": "me", "he": "him", "she": "her", "we": "us", "they": "them"}
_THIRD_PERSON: Final = frozenset({"he", "she", "it"})
_THIRD: Final = {"have": "has", "do": "does", "be": "is", "go": "goes"}
_VOWELS: Final = "aeiou"
#: They double their last letter, as verbs of more than one syllable with the stress at the end do.
_DOUBLING: Final = frozenset({"begin", "forget", "travel"})
#: They begin with another sound than their letter says.
_A_BEFORE: Final = ("eu", "one", "uni", "use")
_AN_BEFORE: Final = ("hour", "honest", "heir")


class EnglishForms:
    """Knows the irregular verbs it is told: past and participle by basic form."""

    def __init__(self, irregular: Mapping[str, Sequence[str]], verbs: Sequence[str]) -> None:
        self._irregular = irregular
        self._bases = {self.third(verb): verb for verb in verbs} | {self.ing(verb): verb for verb in verbs}
        for verb in (*verbs, *irregular):
            self._bases.setdefault(self.participle(verb), verb)
            self._bases.setdefault(self.past(verb), verb)

    def base(self, word: str) -> str:
        """The basic form of a verb in any form."""
        if word in ("am", "is", "are", "was", "were", "been"):
            return "be"
        return word if word in self._irregular else self._bases.get(word, word)

    def third(self, word: str) -> str:
        """As it goes with he and she: of a verb's basic form."""
        if word in _THIRD:
            return _THIRD[word]
        if word.endswith(("s", "x", "z", "ch", "sh", "o")):
            return f"{word}es"
        return f"{word[:-1]}ies" if _is_y(word) else f"{word}s"

    def ing(self, word: str) -> str:
        """With "-ing": of a verb's basic form."""
        if word.endswith("e") and not word.endswith(("ee", "be")):
            return f"{word[:-1]}ing"
        return f"{_doubled(word)}ing"

    def past(self, word: str) -> str:
        """The simple past: of a verb in any form."""
        base = self._of(word)
        return self._irregular[base][0] if base in self._irregular else _regular_past(base)

    def participle(self, word: str) -> str:
        """The past participle: of a verb in any form."""
        base = self._of(word)
        return self._irregular[base][1] if base in self._irregular else _regular_past(base)

    def agree(self, word: str, subject: str) -> str:
        """The verb as it goes with `subject`."""
        base = self.base(word)
        if base == "be":
            return self.be(subject)
        return self.third(base) if subject.lower() in _THIRD_PERSON else base

    def plural(self, word: str) -> str:
        """More than one of a regular noun."""
        if word.endswith(("s", "x", "z", "ch", "sh")):
            return f"{word}es"
        return f"{word[:-1]}ies" if _is_y(word) else f"{word}s"

    def comparative(self, word: str) -> str:
        """With "-er": of a short adjective."""
        if word.endswith("e"):
            return f"{word}r"
        return f"{word[:-1]}ier" if _is_y(word) else f"{_doubled(word)}er"

    def superlative(self, word: str) -> str:
        """With "-est": of a short adjective."""
        return f"{self.comparative(word).removesuffix('r')}st"

    def with_article(self, word: str) -> str:
        """Behind "a" or "an"."""
        lower = word.lower()
        vowel = lower.startswith(_AN_BEFORE) or (lower[:1] in _VOWELS and not lower.startswith(_A_BEFORE))
        return f"{'an' if vowel else 'a'} {word}"

    def be(self, subject: str) -> str:
        """The form of "be" that goes with a pronoun."""
        return _BE.get(subject.lower(), "are")

    def was(self, subject: str) -> str:
        """The past of "be" that goes with a pronoun."""
        return "were" if subject.lower() in _WERE else "was"

    def has(self, subject: str) -> str:
        """The form of "have" that goes with a pronoun."""
        return "has" if subject.lower() in _THIRD_PERSON else "have"

    def as_object(self, subject: str) -> str:
        """A pronoun as the object."""
        return _OBJECT.get(subject.lower(), subject)

    def _of(self, word: str) -> str:
        # While the table of basic forms is made, a verb is its own.
        return self.base(word) if hasattr(self, "_bases") else word


def _regular_past(word: str) -> str:
    if word.endswith("e"):
        return f"{word}d"
    return f"{word[:-1]}ied" if _is_y(word) else f"{_doubled(word)}ed"


def _is_y(word: str) -> bool:
    return word.endswith("y") and word[-2:-1] not in _VOWELS


def _doubled(word: str) -> str:
    """With the last letter twice where it has to be: "swim", "big"."""
    short = len(word) <= 4 and sum(letter in _VOWELS for letter in word) == 1
    closed = len(word) > 2 and word[-1] not in "wxyaeiou" and word[-2] in _VOWELS
    return word + word[-1] if closed and (short or word in _DOUBLING) else word
