"""How much of a talk a prompt holds, by an estimate of its tokens."""

import math
from collections.abc import Sequence
from typing import Final

from services.ai_engine.domain.roles import Line

#: Letters a token has at least, on average of a sentence, in alphabets; others have a token a sign, or more.
_LETTERS: Final = 3.6
#: What the border between two messages takes.
_BORDER: Final = 4


def estimated_tokens(text: str) -> int:
    """Tokens a text has for the usual vocabularies; rather too many than too few."""
    plain = sum(1 for each in text if each < "\u0250")
    return math.ceil(plain / _LETTERS + (len(text) - plain) * 1.2) + _BORDER


def latest_that_fit(lines: Sequence[Line], tokens: int) -> tuple[Line, ...]:
    """As many of the last lines as have so many tokens at most."""
    kept = len(lines)
    while kept and (tokens := tokens - estimated_tokens(lines[kept - 1].text)) >= 0:
        kept -= 1
    return tuple(lines[kept:])


def first_that_fit(texts: Sequence[str], tokens: int) -> tuple[str, ...]:
    """As many of the first texts as have so many tokens at most."""
    kept = 0
    while kept < len(texts) and (tokens := tokens - estimated_tokens(texts[kept])) >= 0:
        kept += 1
    return tuple(texts[:kept])
