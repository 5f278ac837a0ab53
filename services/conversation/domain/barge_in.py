"""Decides whether what is said over the tutor is an interruption."""

import re
from typing import Final

#: How long after the onset the first look at the words is taken, and then each further one.
LOOK_AFTER_S: Final = 0.35
#: After so long a pause without a verdict: who still speaks has interrupted, who fell silent has not.
DECIDE_WITHIN_S: Final = 3.0

_WORD: Final = re.compile(r"[\w']+")
#: What people say to show that they listen. Words that answer a question ("no") are not here.
_BACKCHANNELS: Final = {
    language: frozenset(words.split())
    for language, words in {
        "en": "mm mhm hm hmm mmm mmhm uh huh ah oh yeah yep yes ok okay right sure um er erm aha wow",
        "de": "mm mhm hm hmm ja aha ah oh ok okay genau äh ähm stimmt gut so",
        "fr": "mm mhm hm hmm oui ouais ah oh ok okay euh bon bien d'accord voilà",
        "es": "mm mhm hm hmm sí si ah oh ok okay eh ya claro vale bueno",
        "it": "mm mhm hm hmm sì si ah oh ok okay eh certo bene già",
    }.items()
}
_LONGEST_BACKCHANNEL: Final = 3


def interrupts(text: str, language: str) -> bool:
    """Whether `text` is more than a sign of listening: any other word, or more words than such a sign has."""
    words = _WORD.findall(text.lower().replace("-", " "))
    known = _BACKCHANNELS.get(language.partition("-")[0].lower() or "en", _BACKCHANNELS["en"])
    return len(words) > _LONGEST_BACKCHANNEL or any(word not in known for word in words)
