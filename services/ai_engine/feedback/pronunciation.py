"""Words that the recogniser itself scored low, where it is one that assesses pronunciation."""

import re
from typing import Final

from services.ai_engine.domain.remarks import PronouncedWord, Pronunciation, SaidTurn

#: Below this an assessment is worth a word.
_LOW: Final = 0.6
_MOST: Final = 3


def assessed(turn: SaidTurn) -> Pronunciation | None:
    """The lowest of those scored low, in order; None where there is none, or nothing was scored."""
    found: list[PronouncedWord] = []
    place = 0
    for word in turn.words:
        plain = word.text.strip(" .,!?;:\"'")
        match = re.compile(re.escape(plain), re.IGNORECASE).search(turn.text, place) if plain else None
        if match is None:
            continue
        place = match.end()
        if word.pronunciation is not None and word.pronunciation < _LOW:
            found.append(PronouncedWord(match[0], word.pronunciation, match.start(), match.end()))
    lowest = sorted(found, key=lambda each: each.score)[:_MOST]
    if not lowest:
        return None
    return Pronunciation(turn.scorer, approximate=False, words=tuple(sorted(lowest, key=lambda each: each.start)))
