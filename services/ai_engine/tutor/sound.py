"""How alike two words sound, so that a mishearing of the recogniser still finds its word."""

import re
from functools import lru_cache

from rapidfuzz import fuzz

_RULES = tuple(
    (re.compile(pattern), into)
    for pattern, into in (
        (r"^kn", "n"), (r"^wr", "r"), (r"wh", "w"), (r"ph", "f"), (r"gh", ""), (r"ck|q", "k"), (r"sch|sh|ch|tch", "x"),
        (r"th", "t"), (r"c(?=[eiy])", "s"), (r"c", "k"), (r"z", "s"), (r"dg?(?=j)|g(?=[ei])", "j"), (r"v", "f"),
        (r"[aeiouy]+", "a"), (r"(?<!^)h", ""), (r"(.)\1+", r"\1"),
    )
)  # fmt: skip
_SOUND_WEIGHT = 0.97


@lru_cache(maxsize=8192)
def sound_key(text: str) -> str:
    """A rough spelling of how English text sounds: vowels are one letter, look-alike consonants too."""
    key = text.replace(" ", "")
    for pattern, into in _RULES:
        key = pattern.sub(into, key)
    return key


def likeness(heard: str, meant: str) -> float:
    """How alike two pieces of normalised text are, 0 to 1, by letters or by sound, whichever is more."""
    joined_heard, joined_meant = heard.replace(" ", ""), meant.replace(" ", "")
    if joined_heard == joined_meant:
        return 1.0
    letters = fuzz.ratio(joined_heard, joined_meant) / 100
    sounds = fuzz.ratio(sound_key(joined_heard), sound_key(joined_meant)) / 100
    # Short sound keys agree by chance ("tea", "too"): there only the letters count.
    return max(letters, sounds * _SOUND_WEIGHT) if len(joined_meant) >= 6 else letters
