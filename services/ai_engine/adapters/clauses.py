"""Cuts streaming text into clauses that can be spoken one by one, the first of them early."""

import re
from collections.abc import AsyncGenerator, AsyncIterator

#: The first clause may end at a comma after so many words, and ends anywhere after so many.
_FIRST_COMMA_WORDS = 2
_FIRST_WORDS = 12
#: Later there is time: a comma counts only in a long sentence.
_COMMA_WORDS = 8
_MOST_WORDS = 40

_CLOSERS = "\"'”’)]»"  # noqa: RUF001 - typographic marks are meant here and below.
#: A mark that may end a clause, what closes behind it, and the white space that shows that it is over.
_MARK = re.compile(
    rf"(?:(?P<sentence>[.!?…]+)|(?P<comma>[,;:—–]))[{re.escape(_CLOSERS)}]*\s+"  # noqa: RUF001
    r"|(?P<wide>[。！？]+)"  # noqa: RUF001
    r"|\n\s*"
)
_WORD = re.compile(r"\S+\s+")
#: Written with a full stop in the middle of a sentence.
_SHORT = frozenset(
    {
        *(
            "mr",
            "mrs",
            "ms",
            "dr",
            "prof",
            "st",
            "sr",
            "jr",
            "mt",
            "vs",
            "etc",
            "e.g",
            "i.e",
            "a.m",
            "p.m",
            "u.s",
            "u.k",
        ),
        *("approx", "jan", "feb", "apr", "aug", "sep", "sept", "oct", "nov", "dec", "gov", "gen", "col", "capt", "rev"),
    }
)


class ClauseSplitter:
    """Takes text as it comes and gives back clauses, white space included: joined, they are the text again."""

    def __init__(self) -> None:
        self._text = ""
        self._first = True

    def feed(self, text: str) -> list[str]:
        """Adds text and returns the clauses that are complete now."""
        self._text += text
        clauses: list[str] = []
        while (end := self._clause_end()) is not None:
            clauses.append(self._text[:end])
            self._text = self._text[end:]
            self._first = False
        return clauses

    def flush(self) -> str:
        """Returns what is left at the end of the text, and starts anew."""
        rest, self._text, self._first = self._text, "", True
        return rest

    def _clause_end(self) -> int | None:
        most = _FIRST_WORDS if self._first else _MOST_WORDS
        words = list(_WORD.finditer(self._text))
        limit = words[most - 1].end() if len(words) >= most else None
        for mark in _MARK.finditer(self._text):
            if limit is not None and mark.start() >= limit:
                break
            if self._ends_clause(mark):
                return mark.end()
        return limit

    def _ends_clause(self, mark: re.Match[str]) -> bool:
        said = self._text[: mark.start()]
        if not any(letter.isalnum() for letter in said):
            return False
        if mark["comma"]:
            return len(said.split()) >= (_FIRST_COMMA_WORDS if self._first else _COMMA_WORDS)
        if mark["sentence"] == ".":
            return not _shortened(said.split()[-1])
        return True


async def split_clauses(text: AsyncIterator[str]) -> AsyncGenerator[str, None]:
    """Yields the clauses of a text that streams in; joined, they are the text.

    A clause is handed on as soon as the white space behind it is seen. What is left is handed on at the end.
    """
    splitter = ClauseSplitter()
    async for delta in text:
        for clause in splitter.feed(delta):
            yield clause
    if rest := splitter.flush():
        yield rest


def _shortened(word: str) -> bool:
    """Whether the full stop after this word belongs to it: an abbreviation or an initial."""
    bare = word.lstrip("(\"'“‘[«")  # noqa: RUF001
    return bare.casefold() in _SHORT or (len(bare) == 1 and bare.isupper() and bare != "I")
