"""Tells the tutor's own voice, come back through the microphone, from a learner who speaks."""

import re
from difflib import SequenceMatcher
from typing import Final

_WORD: Final = re.compile(r"[\w']+")
#: So much of what was recognised must be the tutor's own words, in their order.
_SHARE: Final = 0.8
#: A single word in common is chance.
_FEWEST: Final = 2
#: An echo is of what has just sounded: of the last so many words.
_WINDOW: Final = 40


def echoes(text: str, sounded: str) -> bool:
    """Whether `text`, recognised while the tutor spoke, is what the tutor was saying: the end of `sounded`."""
    words, spoken = _words(text), _words(sounded)[-_WINDOW:]
    if len(words) < _FEWEST or len(spoken) < _FEWEST:
        return False
    blocks = SequenceMatcher(a=words, b=spoken, autojunk=False).get_matching_blocks()
    # Words picked from all over the reply are a learner who uses them; an echo comes in one piece.
    return sum(block.size for block in blocks if block.size >= _FEWEST) / len(words) >= _SHARE


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())
