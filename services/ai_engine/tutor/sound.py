"""How alike two words sound, so that a mishearing of the recogniser still finds its word."""

import re
from functools import lru_cache

from rapidfuzz import fuzz

_RULES = tuple(
    (re.compile(pattern), into)
    for pattern, into in (
        (r"x", "ks"), (r"^kn", "n"), (r"^wr", "r"), (r"wh", "w"), (r"ph", "f"), (r"gh", ""), (r"ck|q", "k"),
        (r"sch|sh|tch|ch", "x"), (r"th", "t"), (r"c(?=[eiy])", "s"), (r"c", "k"),
        (r"z", "s"), (r"dg?(?=j)|g(?=[ei])", "j"), (r"v", "f"),
        (r"[aeiouy]+", "a"), (r"(?<!^)h", ""), (r"(.)\1+", r"\1"),
    )
)  # fmt: skip
_SOUND_WEIGHT = 0.97
_SHORTEST_KEY = 5


@lru_cache(maxsize=8192)
def sound_key(text: str) -> str:
    """A rough spelling of how English text sounds: vowels are one letter, look-alike consonants too."""
    key = text.replace(" ", "")
    for pattern, into in _RULES:
        key = pattern.sub(into, key)
    return key


def likeness(heard: str, meant: str, *, by_sound: bool) -> float:
    """How alike two pieces of normalised text are, 0 to 1, by letters or also by sound, whichever is more."""
    joined_heard, joined_meant = heard.replace(" ", ""), meant.replace(" ", "")
    if joined_heard == joined_meant:
        return 1.0
    letters = fuzz.ratio(joined_heard, joined_meant) / 100
    if not by_sound:
        return letters
    key_heard, key_meant = sound_key(joined_heard), sound_key(joined_meant)
    # Short keys agree by chance ("the zoo", "the sea"), and mishearings keep the first sound.
    if min(len(key_heard), len(key_meant)) < _SHORTEST_KEY or key_heard[0] != key_meant[0]:
        return letters
    return max(letters, fuzz.ratio(key_heard, key_meant) / 100 * _SOUND_WEIGHT)
