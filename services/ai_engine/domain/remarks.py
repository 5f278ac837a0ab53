"""What is told of a turn besides its slips: how it flowed, and which words stood out by their level or their sound."""

from dataclasses import dataclass
from typing import Protocol

from services.ai_engine.domain.roles import CefrLevel, Word


@dataclass(frozen=True, slots=True)
class SaidTurn:
    """A turn that counts, as it was said. `pcm` is at HEARING_RATE_HZ; typed turns have neither sound nor words."""

    text: str
    words: tuple[Word, ...] = ()
    pcm: bytes = b""
    #: BCP 47.
    language: str = "en"
    level: CefrLevel | None = None
    #: The recogniser that scores how words were pronounced, where there is one.
    scorer: str = ""


@dataclass(frozen=True, slots=True)
class Fluency:
    """How a spoken turn flowed. Fillers are None where those of the language are not known."""

    word_count: int
    words_per_minute: float
    pause_count: int
    mean_pause_ms: float
    longest_pause_ms: float
    filler_count: int | None


@dataclass(frozen=True, slots=True)
class LeveledWord:
    """A word, and the level at which learners meet it; `start` and `end` are characters of the turn's text."""

    word: str
    level: CefrLevel
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Words above the level of who used them."""

    level: CefrLevel
    words: tuple[LeveledWord, ...]


@dataclass(frozen=True, slots=True)
class PronouncedWord:
    """A word and how near it came, 0 to 1; sounds are IPA, empty where they are not known."""

    word: str
    score: float
    start: int
    end: int
    expected_sounds: str = ""
    heard_sounds: str = ""


@dataclass(frozen=True, slots=True)
class Pronunciation:
    """Words that may have sounded different."""

    source: str
    approximate: bool
    words: tuple[PronouncedWord, ...]


Remark = Fluency | Vocabulary | Pronunciation


class Judge(Protocol):
    """Finds one kind of thing to remark on. May block; called with one turn after another."""

    def __call__(self, turn: SaidTurn) -> Remark | None:
        """The remark, or None where there is nothing sure to say."""
        ...
