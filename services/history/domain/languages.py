"""The languages that are learnt, and which measures are of English only."""

from enum import Enum
from typing import Final

#: What is learnt where no language was chosen.
_ENGLISH: Final = "en"


class Measure(Enum):
    """What can be told of talk in English only."""

    WORD_LEVELS = "word_levels"
    FILLERS = "fillers"
    REPAIRS = "repairs"
    SLIP_TOPICS = "slip_topics"
    SWAPPED_SOUNDS = "swapped_sounds"
    #: In other languages a language model finds slips, and nothing else does.
    SLIPS = "slips"


def told_language(language: str) -> str:
    """The language as it is told: one that was not chosen is English."""
    return language or _ENGLISH


def is_english(language: str) -> bool:
    """Whether it is English, of whatever country."""
    return told_language(language).partition("-")[0].lower() == _ENGLISH
