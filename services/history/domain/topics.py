"""What a slip in English is about, told from what was said and how it is mended.

Whoever found it, a rule, Harper or a language model, tells no more than the two. A topic is named where the change
shows it; where it could be two, it is "other".
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from enum import Enum
from typing import Final

from services.history.domain.english import (
    ARTICLES,
    BASE_OF_PARTICIPLE,
    BASE_OF_PAST,
    BE,
    BEFORE_BASE,
    BEFORE_TO,
    COMPARING,
    DO,
    IRREGULAR_BASES,
    IRREGULAR_PLURALS,
    NEGATIONS,
    OF_TENSE,
    PREPOSITIONS,
    PRONOUNS,
    SAME_TENSE,
    SEVERAL,
    SUBJECTS,
    SUBJECTS_OF_S,
    UNCOUNTED,
)
from services.history.domain.happenings import Slip, SlipKind
from services.history.domain.words import words


class Topic(Enum):
    """What a slip is about."""

    ARTICLE = "article"
    AGREEMENT = "agreement"
    TENSE = "tense"
    VERB_FORM = "verb_form"
    PREPOSITION = "preposition"
    WORD_ORDER = "word_order"
    NUMBER = "number"
    PRONOUN = "pronoun"
    COMPARISON = "comparison"
    NEGATION = "negation"
    SPELLING = "spelling"
    WORD_CHOICE = "word_choice"
    OTHER = "other"


Change = tuple[tuple[str, ...], tuple[str, ...]]

#: Words as alike as this are the same one, written otherwise.
_ALIKE: Final = 0.8
_SHORTEST_SPELT: Final = 4


def topic_of(slip: Slip) -> Topic | None:
    """The topic; None of how something sounded, which is counted by its sounds."""
    if slip.kind is SlipKind.PRONUNCIATION:
        return None
    said, better = words(slip.said), words(slip.better)
    if not said or not better or said == better:
        return Topic.OTHER
    if sorted(said) == sorted(better):
        return Topic.WORD_ORDER
    found = _of_all(said, better)
    # Whoever found it knows whether it is about a word.
    return Topic.WORD_CHOICE if slip.kind is SlipKind.VOCABULARY and found is Topic.OTHER else found


def _of_all(said: Sequence[str], better: Sequence[str]) -> Topic:
    gone, come = Counter(said) - Counter(better), Counter(better) - Counter(said)
    for belonging, topic in ((ARTICLES, Topic.ARTICLE), (PREPOSITIONS - {"to"}, Topic.PREPOSITION)):
        # Also where words change their place with it: "explain me this", "explain this to me".
        if {*gone, *come} <= belonging:
            return topic
    found = {_of_change(said[:place], change) for place, change in _changes(said, better)}
    if len(found) == 1:
        return found.pop()
    # "He like play" changes two verbs: what is about verbs alone is about their form.
    return Topic.VERB_FORM if found <= {Topic.AGREEMENT, Topic.TENSE, Topic.VERB_FORM} else Topic.OTHER


def _changes(said: Sequence[str], better: Sequence[str]) -> Iterator[tuple[int, Change]]:
    for tag, start, end, first, last in SequenceMatcher(None, said, better, autojunk=False).get_opcodes():
        if tag != "equal":
            yield start, (tuple(said[start:end]), tuple(better[first:last]))


def _of_change(before: Sequence[str], change: Change) -> Topic:
    removed, added = change
    every = frozenset(removed + added)
    last = before[-1] if before else ""
    if every == {"to"}:
        return Topic.VERB_FORM if last in BEFORE_BASE | BEFORE_TO else Topic.PREPOSITION
    for belonging, topic in _SETS:
        if every <= belonging:
            return topic
    if removed and added and any(every <= forms for forms in SAME_TENSE):
        return Topic.AGREEMENT
    if every & COMPARING or (len(added) == 1 and _is_compared(removed, added[0])):
        return Topic.COMPARISON
    if every & NEGATIONS:
        return Topic.NEGATION
    if len(removed) == len(added) == 1:
        return _of_pair(last, removed[0], added[0])
    if every <= OF_TENSE:
        return Topic.TENSE
    if every <= BE | DO | {"to"}:
        return Topic.VERB_FORM
    if {base for word in removed for base in _bases(word)} & {base for word in added for base in _bases(word)}:
        # The same verb with another helper: "have eaten", "will rain"; "am knowing", "to cook".
        return Topic.TENSE if every & OF_TENSE else Topic.VERB_FORM
    helpers = every & (BE | DO | OF_TENSE | PREPOSITIONS)
    return Topic.WORD_CHOICE if removed and added and not helpers else Topic.OTHER


def _of_pair(before: str, said: str, better: str) -> Topic:
    if {said, better} & IRREGULAR_PLURALS or (said.endswith("s") and said[:-1] in UNCOUNTED):
        return Topic.NUMBER
    if said.endswith("ing") and better.endswith("ed") and said[:-3] == better[:-2]:
        return Topic.WORD_CHOICE
    if said in _third(better) or better in _third(said):
        return _of_s(before, said, better)
    if _base_of_past(better) & _bases(said):
        # "He have went": a past where a participle belongs, or the other way round; "goed": no past at all.
        wrong_form = bool(_base_of_past(said)) or said in BASE_OF_PARTICIPLE
        return Topic.VERB_FORM if wrong_form else Topic.TENSE
    if _bases(said) & _bases(better):
        return Topic.VERB_FORM
    if min(len(said), len(better)) >= _SHORTEST_SPELT and SequenceMatcher(None, said, better).ratio() >= _ALIKE:
        return Topic.SPELLING
    return Topic.WORD_CHOICE


def _of_s(before: str, said: str, better: str) -> Topic:
    """An "s" too many, or too few: a verb's or a noun's, which the word before it tells."""
    if before in BEFORE_BASE:
        return Topic.VERB_FORM
    if before in SUBJECTS_OF_S or before in SUBJECTS:
        return Topic.AGREEMENT
    if before in SEVERAL or before in ARTICLES or before.isdecimal():
        return Topic.NUMBER
    # With nothing before it, only what is a verb for sure is taken for one.
    return Topic.AGREEMENT if not before and {said, better} & IRREGULAR_BASES else Topic.OTHER


def _is_compared(removed: Sequence[str], better: str) -> bool:
    return any(
        better in (f"{word}er", f"{word}est", f"{word}r", f"{word[:-1]}ier", f"{word[:-1]}iest") for word in removed
    )


def _third(word: str) -> frozenset[str]:
    endings = {f"{word}s", f"{word}es"}
    return frozenset(endings | {f"{word[:-1]}ies"} if word.endswith("y") else endings)


def _base_of_past(word: str) -> frozenset[str]:
    """The verbs whose past this is."""
    if word in BASE_OF_PAST:
        return frozenset({BASE_OF_PAST[word]})
    return frozenset(_without(word, "ed"))


def _bases(word: str) -> frozenset[str]:
    """The verbs that this may be a form of."""
    found = {word, *_without(word, "ed"), *_without(word, "ing"), *_without(word, "s"), *_without(word, "es")}
    found |= {base for base in (BASE_OF_PAST.get(word), BASE_OF_PARTICIPLE.get(word)) if base}
    found |= {"be"} if word in BE else {"have"} if word == "has" else set()
    return frozenset(found)


def _without(word: str, ending: str) -> set[str]:
    """Of "cooked": "cook", "cooke"; of "stopped": "stop"; of "studied": "study"."""
    if not word.endswith(ending) or len(word) < len(ending) + 2:
        return set()
    stem = word.removesuffix(ending)
    found = {stem, f"{stem}e"}
    if stem.endswith("i"):
        found.add(f"{stem[:-1]}y")
    if stem[-1] == stem[-2]:
        found.add(stem[:-1])
    return found


_SETS: Final = (
    (ARTICLES, Topic.ARTICLE),
    (PREPOSITIONS, Topic.PREPOSITION),
    (PRONOUNS, Topic.PRONOUN),
    (NEGATIONS, Topic.NEGATION),
)
