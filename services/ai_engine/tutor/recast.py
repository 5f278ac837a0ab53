"""Says a learner's mended sentence back to them in passing: "I goed home" becomes "you went home"."""

import re

from services.ai_engine.domain.roles import CorrectionFound
from services.ai_engine.tutor.slips import mended

_MOST_WORDS = 9
_CLAUSE_ENDS = re.compile(r"[.!?;,]| (?:and|but|because|so|when|that|which|who)\b")
_TURNED = {
    "i": "you", "i'm": "you're", "i've": "you've", "i'd": "you'd", "i'll": "you'll", "me": "you", "my": "your",
    "mine": "yours", "myself": "yourself", "am": "are", "we": "you", "our": "your", "us": "you",
}  # fmt: skip
_OPENINGS = frozenset({"i", "i'm", "i've", "yesterday", "my"})
#: Orders and requests: there the answer itself shows that it was understood.
_REQUESTS = frozenset({"want", "would", "i'd", "need", "can", "could", "may", "please", "no", "not", "don't"})
_ABOUT_THE_TUTOR = frozenset({"you", "your", "you're", "yours"})


def recast(text: str, found: tuple[CorrectionFound, ...]) -> str:
    """The one clause that was mended, turned to the learner; empty where that can't be done safely."""
    if len(found) != 1 or "?" in text:
        return ""
    slip = found[0]
    start = max((match.end() for match in _CLAUSE_ENDS.finditer(text, 0, slip.start)), default=0)
    ending = _CLAUSE_ENDS.search(text, slip.end)
    end = ending.start() if ending is not None else len(text)
    words = mended(text[:end], found)[start:].split()
    lowered = {word.lower() for word in words}
    if not 3 <= len(words) <= _MOST_WORDS or words[0].lower() not in _OPENINGS:
        return ""
    if lowered & (_REQUESTS | _ABOUT_THE_TUTOR):
        return ""
    turned = [_TURNED.get(word.lower(), word) for word in words]
    after_you = [
        "were" if word == "was" and index > 0 and turned[index - 1] == "you" else word
        for index, word in enumerate(turned)
    ]
    said = " ".join(after_you)
    return said[:1].lower() + said[1:]
