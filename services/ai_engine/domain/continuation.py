"""Joins what one tutor began and another goes on with, so that no sentence is said twice, in plain Python."""

import re
from itertools import pairwise
from typing import Final

#: What ends a sentence, with the white space that shows that it is over.
_END: Final = re.compile(r"[.!?…]+[\"'”’)\]]*\s+|[。！？]+\s*|\n\s*")  # noqa: RUF001
_WORD: Final = re.compile(r"\S+")


class Continuation:
    """Passes on an answer without what was said already: whole sentences, or the beginning of the unfinished one.

    Who goes on may start anew, start with the sentence that broke off, or truly go on; all three come out right.
    Sentences are held until they are whole, so that a repetition is seen before it is heard.
    """

    def __init__(self, begun: str) -> None:
        *whole, tail = _sentences(begun)
        self._said = [_words(sentence) for sentence in whole]
        self._tail = _words(tail)
        self._held = ""

    def feed(self, text: str) -> str:
        """Takes more of the answer; returns what of it is new."""
        self._held += text
        *whole, rest = _sentences(self._held)
        self._held = rest
        return "".join(map(self._new, whole))

    def flush(self) -> str:
        """Returns what is left at the end of the answer."""
        rest, self._held = self._held, ""
        return self._new(rest)

    def _new(self, sentence: str) -> str:
        words = _words(sentence)
        if not words:
            return sentence if not self._said else ""
        if words in self._said:
            # Only once: a tutor may repeat herself on purpose.
            self._said.remove(words)
            return ""
        tail, self._tail = self._tail, []
        if tail and words[: len(tail)] == tail:
            return _after(sentence, len(tail))
        return sentence


class GoingOn:
    """Finds out whether somebody who was asked to go on in the middle of an answer does so.

    Its sound can't be cut, so it has to begin with the rest of what was told, or where nothing is left of that, with
    something that was not said.
    """

    def __init__(self, said: str, rest: str) -> None:
        self._said = said
        self._rest = _words(rest)
        self._held = ""
        #: Whether it is known that it does.
        self.sure = False

    def feed(self, text: str) -> str:
        """Takes more of it; returns what is new, nothing while that is not known.

        Raises ValueError where it repeats.
        """
        if self.sure:
            return text
        self._held += text
        return self._new(over=False)

    def flush(self) -> str:
        """Returns what is left at its end. Raises ValueError where it repeats, or says nothing."""
        return "" if self.sure else self._new(over=True)

    def _new(self, *, over: bool) -> str:
        held = self._held
        if self._rest:
            words = _words(held if over else without_fragment(held))
            if words[: len(self._rest)] != self._rest[: len(words)] or (over and len(words) < len(self._rest)):
                raise ValueError("it begins anew")
            if len(words) < len(self._rest):
                return ""
            held = _after(held, len(self._rest))
        elif not over and len(_sentences(held)) == 1:
            return ""
        elif self._repeats(held):
            raise ValueError("it begins anew")
        self.sure = True
        return held

    def _repeats(self, text: str) -> bool:
        continuation = Continuation(self._said)
        return not _words(text) or continuation.feed(text) + continuation.flush() != text


def without_fragment(text: str) -> str:
    """The text up to its last white space: a word after that may not be whole yet."""
    return text[: max(text.rfind(space) for space in " \n") + 1]


def _sentences(text: str) -> list[str]:
    """The sentences that are over, and at last what comes after them, perhaps empty."""
    ends = [0, *(mark.end() for mark in _END.finditer(text)), len(text)]
    return [text[begin:end] for begin, end in pairwise(ends)]


def _words(text: str) -> list[str]:
    bare = ("".join(letter for letter in word.casefold() if letter.isalnum()) for word in text.split())
    return [word for word in bare if word]


def _after(sentence: str, count: int) -> str:
    """The sentence without its first `count` words."""
    for match in _WORD.finditer(sentence):
        if _words(match.group()):
            count -= 1
        if count == 0:
            return sentence[match.end() :].lstrip()
    return ""
