"""Turns recognised speech into comparable words: lower case, contractions opened, fillers gone."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

_CONTRACTIONS = {
    "i'm": "i am", "you're": "you are", "we're": "we are", "they're": "they are", "he's": "he is", "she's": "she is",
    "it's": "it is", "that's": "that is", "what's": "what is", "where's": "where is", "how's": "how is",
    "who's": "who is", "there's": "there is", "here's": "here is", "let's": "let us", "i'd": "i would",
    "you'd": "you would", "we'd": "we would", "he'd": "he would", "she'd": "she would", "they'd": "they would",
    "i'll": "i will", "you'll": "you will", "we'll": "we will", "it'll": "it will", "he'll": "he will",
    "she'll": "she will", "they'll": "they will", "i've": "i have", "you've": "you have", "we've": "we have",
    "they've": "they have", "don't": "do not", "doesn't": "does not", "didn't": "did not", "can't": "can not",
    "cannot": "can not", "couldn't": "could not", "won't": "will not", "wouldn't": "would not", "isn't": "is not",
    "aren't": "are not", "wasn't": "was not", "weren't": "were not", "haven't": "have not", "hasn't": "has not",
    "hadn't": "had not", "shouldn't": "should not", "gonna": "going to", "wanna": "want to", "gotta": "got to",
    "gimme": "give me", "lemme": "let me", "dunno": "do not know", "ok": "okay", "yep": "yes", "yeah": "yes",
    "yup": "yes", "nope": "no", "nah": "no", "hiya": "hi", "name's": "name is", "thx": "thanks", "pls": "please",
}  # fmt: skip
_FILLERS = frozenset({"um", "uh", "er", "erm", "ah", "eh", "hmm", "hm", "mm", "mhm", "oh", "uhm"})
_WORD = re.compile(r"[a-z0-9£$€]+(?::[0-9]{2})?(?:'[a-z]+)?")
_BRACKETED = re.compile(r"\[[^\]]*\]|\([^)]*\)|♪[^♪]*♪?")
_SENTENCE_END = re.compile(r"[.!?;,:]+(?=\s|$)|[\n…—]+")
_JOINERS = frozenset({"and", "but", "then", "so", "because", "or"})
_LEADING = frozenset({"yes", "no", "okay", "sure", "sorry", "well", "hello", "hi", "hey", "thanks", "please"})


@dataclass(frozen=True, slots=True)
class Token:
    """A comparable word and where it stands in the text as recognised."""

    word: str
    start: int
    end: int
    #: Number of the sentence part (between punctuation marks) it stands in.
    part: int


def tokens(text: str) -> tuple[Token, ...]:
    """Splits a turn into comparable words. Text in brackets is the recogniser's remark, not speech, and is dropped."""
    plain = _plain(text)
    breaks = [match.start() for match in _SENTENCE_END.finditer(plain)]
    found: list[Token] = []
    for match in _WORD.finditer(plain):
        part = sum(1 for position in breaks if position < match.start())
        found.extend(
            Token(word, match.start(), match.end(), part)
            for word in _open(match.group()).split()
            if word not in _FILLERS
        )
    return tuple(found)


@lru_cache(maxsize=8192)
def normalised(text: str) -> str:
    """The comparable words of a text, joined by spaces."""
    return " ".join(token.word for token in tokens(text))


def clauses(spoken: tuple[Token, ...]) -> tuple[tuple[str, ...], ...]:
    """The whole turn and its meaningful pieces, longest first, each once."""
    pieces: dict[tuple[str, ...], None] = {tuple(token.word for token in spoken): None}
    for part in sorted({token.part for token in spoken}):
        words = tuple(token.word for token in spoken if token.part == part)
        pieces[words] = None
        for piece in _joined_pieces(words):
            pieces[piece] = None
    return tuple(sorted((piece for piece in pieces if piece), key=len, reverse=True))


def _joined_pieces(words: tuple[str, ...]) -> list[tuple[str, ...]]:
    pieces: list[tuple[str, ...]] = []
    current: list[str] = []
    for word in words:
        if word in _JOINERS:
            pieces.append(tuple(current))
            current = []
        else:
            current.append(word)
    pieces.append(tuple(current))
    opened = [piece[1:] for piece in pieces if len(piece) > 1 and piece[0] in _LEADING]
    leads = [piece[:1] for piece in pieces if piece and piece[0] in _LEADING]
    return [piece for piece in (*pieces, *opened, *leads) if piece]


def _plain(text: str) -> str:
    """Same length as `text`, so that offsets into it stay true."""
    folded = "".join(_fold(character) for character in text)
    return _BRACKETED.sub(lambda match: " " * len(match.group()), folded)


def _fold(character: str) -> str:
    if character in "\u2019\u2018\u02bc`\u00b4":
        return "'"
    if not character.isascii():
        base = unicodedata.normalize("NFD", character)[0].lower()
        return base if len(base) == 1 else " "
    return character.lower()


def _open(word: str) -> str:
    opened = _CONTRACTIONS.get(word)
    if opened is not None:
        return opened
    return word.split("'", 1)[0] if word.endswith("'s") else word.replace("'", "")
