"""How a spoken turn flowed: pace, pauses and fillers, by the times of its words."""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from services.ai_engine.domain.remarks import Fluency, SaidTurn
from services.ai_engine.domain.roles import Word

#: Fewer words have no pace.
_LEAST_WORDS: Final = 4
#: Silence between two words that is a pause.
_PAUSE_S: Final = 0.25
#: Only sounds that mean nothing else in their language.
_FILLERS: Final = {
    "en": frozenset({"um", "umm", "uhm", "uh", "er", "erm", "hmm", "hm", "mm"}),
    "de": frozenset({"äh", "ähm", "öh", "hm", "hmm"}),
    "fr": frozenset({"euh", "heu", "hm", "hmm"}),
    "es": frozenset({"eh", "em", "hm", "hmm"}),
    "it": frozenset({"ehm", "uhm", "mh", "hm", "hmm"}),
}
_LETTERS: Final = re.compile(r"[^\W\d_]+")


def fluency(turn: SaidTurn) -> Fluency | None:
    """None for a turn without word times, and for one too short to have a pace."""
    words = [word for word in turn.words if any(letter.isalnum() for letter in word.text)]
    if len(words) < _LEAST_WORDS:
        return None
    spoken_s = words[-1].end_s - words[0].start_s
    if spoken_s <= 0:
        return None
    pauses_ms = [
        gap_s * 1000 for one, other in pairwise(words) if (gap_s := other.start_s - one.end_s) >= _PAUSE_S - 1e-9
    ]
    return Fluency(
        word_count=len(words),
        words_per_minute=len(words) * 60 / spoken_s,
        pause_count=len(pauses_ms),
        mean_pause_ms=sum(pauses_ms) / len(pauses_ms) if pauses_ms else 0.0,
        longest_pause_ms=max(pauses_ms, default=0.0),
        filler_count=_fillers(words, turn.language),
    )


def _fillers(words: Sequence[Word], language: str) -> int | None:
    known = _FILLERS.get(language.partition("-")[0].lower())
    if known is None:
        return None
    return sum(1 for word in words if "".join(_LETTERS.findall(word.text.casefold())) in known)
