"""Chooses among the variants of a line and fills in what the learner said."""

import re
import zlib
from collections.abc import Mapping, Sequence

#: {drink}, {a:drink} with its article, {drink.price} for a fact, {nights*night} for a number and its noun.
_PLACE = re.compile(r"\{(?:(a):)?([a-z_]+)(?:\.([a-z_]+))?(?:\*([a-z]+))?\}")
_SENTENCE_START = re.compile(r"(^|[.!?]\s+)([a-z])")
_VOWEL_SOUND = re.compile(r"^(?:[aeio]|u(?!ni|se|k)|hour|honest|8|11$|18$)", re.IGNORECASE)


def places(template: str) -> set[str]:
    """The names a template needs: "drink", or "drink.price" for a fact."""
    return {f"{match[2]}.{match[3]}" if match[3] else match[2] for match in _PLACE.finditer(template)}


def choose(
    variants: Sequence[str], fillings: Mapping[str, str], seed: str, *, fresh: frozenset[str] = frozenset()
) -> str:
    """One variant, filled. Those that can't be filled are left out.

    Those that use most of the `fresh` names come first, then those that tell most facts.

    The same arguments give the same text. Empty when no variant can be filled.
    """
    able = [variant for variant in variants if places(variant) <= fillings.keys()]
    if not able:
        return ""
    worth = {
        variant: (len(places(variant) & fresh), sum("." in place for place in places(variant))) for variant in able
    }
    most = max(worth.values())
    best = [variant for variant in able if worth[variant] == most]
    return capitalised(filled(best[zlib.crc32(seed.encode()) % len(best)], fillings))


def _worth(variant: str, fresh: frozenset[str]) -> tuple[int, int]:
    names = places(variant)
    return len(names & fresh), sum("." in name for name in names)


def filled(template: str, fillings: Mapping[str, str]) -> str:
    """The template with its places filled."""

    def fill(match: re.Match[str]) -> str:
        value = fillings[f"{match[2]}.{match[3]}" if match[3] else match[2]]
        if match[4]:
            return f"{value} {match[4]}{'' if value == 'one' else 's'}"
        return with_article(value) if match[1] == "a" else value

    return _PLACE.sub(fill, template)


def capitalised(text: str) -> str:
    """The text with a capital at the start of each sentence."""
    return _SENTENCE_START.sub(lambda match: match[1] + match[2].upper(), text)


def with_article(noun: str) -> str:
    """Puts the right article before a noun: "an espresso", "a tea"."""
    return f"{'an' if _VOWEL_SOUND.match(noun) else 'a'} {noun}"


def listed(names: Sequence[str]) -> str:
    """Joins names as they are said: "a coffee, a croissant and a tea"."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
