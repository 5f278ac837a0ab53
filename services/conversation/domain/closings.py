"""Reads from the words so far whether they hand the turn over: a request, thanks, a tag, a question that is whole."""

from itertools import pairwise
from typing import Final

#: Words before them at least: "Yes, please" and "a coffee, please" often come before more.
_BEFORE: Final = 3
_CLOSINGS: Final = {
    "en": ("please", "thanks", "thank you", "thank you very much"),
    "de": ("bitte", "danke", "danke schön", "vielen dank"),
    "fr": ("s'il vous plaît", "s'il te plaît", "merci", "merci beaucoup"),
    "es": ("por favor", "gracias", "muchas gracias"),
    "it": ("per favore", "per piacere", "grazie"),
}
#: They close it where it is a question by its mark, and are words like others elsewhere.
_TAGS: Final = {
    "en": ("right", "okay"),
    "de": ("oder", "nicht wahr", "gell"),
    "fr": ("n'est ce pas", "non", "hein"),
    "es": ("no", "verdad"),
    "it": ("no", "vero"),
}
#: A question of fewer words often goes on: "Do you know …", "Can you help me …".
_QUESTION: Final = 5
_AUXILIARIES: Final = {
    language: frozenset(words.split())
    for language, words in {
        "en": "am is are was were do does did can could will would shall should may might must have has",
        "de": "bin bist ist sind seid war waren habe hast hat haben habt kann kannst können könnt könnte könnten "
        "darf dürfen will willst wollen möchten möchtest muss müssen soll sollen würde würden würdest wird werden",
    }.items()
}
_SUBJECTS: Final = {
    language: frozenset(words.split())
    for language, words in {
        "en": "i you he she it we they there this that these those the a an my your his her its our their",
        "de": "ich du er sie es wir ihr man das der die ein eine mein meine dein deine",
    }.items()
}
_PRONOUNS: Final = frozenset({"i", "you", "he", "she", "it", "we", "they", "there"})
_NEGATIONS: Final = frozenset({"not", "never", "no", "nobody", "nothing", "hardly"})


def closes(words: list[str], language: str, *, asks: bool) -> bool:
    """Whether `words` end as people do who then wait for an answer; `asks` where there is a question mark."""
    said = " ".join(words)
    tags = (*_CLOSINGS.get(language, ()), *(_TAGS.get(language, ()) if asks else ()))
    if any(said.endswith(f" {tag}") and len(words) - len(tag.split()) >= _BEFORE for tag in tags):
        return True
    return language == "en" and _is_tagged(words)


def asks_in_full(words: list[str], language: str) -> bool:
    """Whether `words`, which end with a question mark, have the order of a question, and more after its subject."""
    auxiliaries, subjects = _AUXILIARIES.get(language, ()), _SUBJECTS.get(language, ())
    return len(words) >= _QUESTION and any(
        (verb in auxiliaries or verb.endswith("n't")) and subject in subjects for verb, subject in pairwise(words[:-1])
    )


def _is_tagged(words: list[str]) -> bool:
    """Whether a question hangs on a statement, "It's cold, isn't it?": one of both is in the negative."""
    if len(words) < _BEFORE + 2 or words[-1] not in _PRONOUNS:
        return False
    *statement, auxiliary, _ = words
    if auxiliary.endswith("n't"):
        return not any(map(_negates, statement))
    return auxiliary in _AUXILIARIES["en"] and any(map(_negates, statement))


def _negates(word: str) -> bool:
    return word.endswith("n't") or word in _NEGATIONS
