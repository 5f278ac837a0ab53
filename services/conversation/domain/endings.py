"""Reads from the words so far whether a pause is the end: unfinished sentences, and thinking aloud."""

import re
from enum import Enum
from typing import Final

from services.conversation.domain.closings import asks_in_full, closes


class Ending(Enum):
    """How the words before a pause end."""

    #: Nothing in the words speaks against an end.
    FINISHED = "finished"
    #: A sentence does not end so.
    OPEN = "open"
    #: The learner has handed the turn over.
    CLOSED = "closed"
    #: The learner asks for time.
    THINKING = "thinking"


_WORD: Final = re.compile(r"[\w']+")
_FINAL_MARK: Final = re.compile(r"(?<!\.\.)[.!?\u3002\uff01\uff1f][\"'\u00bb\u201d\u2019)]*\s*$")
_OPEN_MARK: Final = re.compile(r"(?:\.\.+|…|[,:;\u2013\u2014-])\s*$")

#: Words no sentence ends with, or hardly ever.
_OPEN_WORDS: Final = {
    language: frozenset(words.split())
    for language, words in {
        "en": "a an the every and or but because so if when while although though whether unless until my your his "
        "our their i we they he she i'm you're he's she's it's we're they're that's there's what's who's where's how's "
        "i'd you'd he'd she'd we'd they'd i'll you'll he'll she'll it'll we'll they'll i've you've we've they've "
        "very really quite some any than um uh er erm like",
        "de": "ein eine einen einem einer der die das den dem und oder aber weil dass wenn mein meine dein deine "
        "ich wir er sehr zu mit für auf äh ähm also",
        "fr": "un une des le la les l' de du et ou mais parce que qui si mon ma mes ton ta son sa je tu il nous très "
        "avec pour dans à euh alors",
        "es": "un una unos unas el la los las de del y o pero porque que si mi tu su yo muy con para en a eh este",
        "it": "un una uno il lo la i gli le di del e o ma perché che se mio mia tuo suo io molto con per in a eh",
    }.items()
}
#: What whole sentences end with all the same.
_WHOLE: Final = {
    "en": (
        "think so",
        "hope so",
        "guess so",
        "what's it like",
        "and i",
        "than i",
        "so do i",
        "so did i",
        "so am i",
        "neither do i",
        "neither am i",
    )
}
#: Words that end questions, as in "Where are you from?", and hardly anything else.
_OPEN_IN_STATEMENTS: Final = {
    language: frozenset(words.split())
    for language, words in {
        "en": "about at by for from in into of on than to with without between during towards through"
    }.items()
}
_QUESTION: Final = {
    language: frozenset(words.split()) for language, words in {"en": "what who whom whose which where"}.items()
}
#: Words that end an answer, "Yes, I am", or what is asked in passing, "Do you know where it is?", and else little.
_AUXILIARIES: Final = {
    language: frozenset(words.split())
    for language, words in {
        "en": "am is are was were can could would will should must don't doesn't didn't isn't wasn't can't "
        "have has had want wants wanted need needs needed visit brought"
    }.items()
}
_ASKED: Final = {
    language: frozenset(words.split()) for language, words in {"en": "what who which where when why how"}.items()
}
#: What is told, given or asked follows whom: "Could you tell me".
_GIVING: Final = {
    language: frozenset(words.split())
    for language, words in {"en": "tell told tells give gave gives show showed asked send sent teach taught"}.items()
}
_WHOM: Final = {language: frozenset(words.split()) for language, words in {"en": "me him us them you"}.items()}
#: A clause that begins so is followed by another, after a comma if it was written well.
_CLAUSE: Final = {
    language: frozenset(words.split())
    for language, words in {"en": "if although though while unless when since as"}.items()
}
_LONGEST_CLAUSE: Final = 6
_ANSWER: Final = {language: frozenset(words.split()) for language, words in {"en": "yes yeah no of sure"}.items()}
#: How people ask for a moment; at the end of what was said so far.
_THINKING: Final = {
    "en": (
        "let me think", "let me see", "let me think about it", "give me a second", "give me a moment", "one moment",
        "just a moment", "just a second", "hold on", "how do you say", "how do i say", "what's the word",
        "what is the word", "i don't know how to say", "how can i say",
    ),
    "de": ("lass mich überlegen", "moment", "einen moment", "wie sagt man", "mal sehen", "warte mal"),
    "fr": ("laisse moi réfléchir", "laissez moi réfléchir", "un moment", "attends", "attendez", "comment dit on"),
    "es": ("déjame pensar", "un momento", "espera", "cómo se dice", "a ver"),
    "it": ("fammi pensare", "un momento", "un attimo", "aspetta", "come si dice", "vediamo"),
}  # fmt: skip


def has_final_mark(text: str) -> bool:
    """Whether `text` ends as a written sentence does."""
    return bool(_FINAL_MARK.search(text))


def ending_of(text: str, language: str, *, punctuated: bool = False) -> Ending:
    """How `text` ends. A full stop says little: recognisers put one behind much of what they heard.

    `punctuated` says that this recogniser does so at all: then a text without one breaks off.
    """
    words = [word.strip("'") for word in _WORD.findall(text.lower().replace("\u2019", "'").replace("-", " "))]
    if not words:
        return Ending.FINISHED
    short = language.partition("-")[0].lower() or "en"
    said = " ".join(words)
    if any(said == phrase or said.endswith(f" {phrase}") for phrase in _THINKING.get(short, ())):
        return Ending.THINKING
    unmarked = punctuated and not has_final_mark(text)
    if unmarked or _OPEN_MARK.search(text):
        return Ending.OPEN
    asks = text.rstrip().endswith("?")
    if closes(words, short, asks=asks):
        return Ending.CLOSED
    half = words[0] in _CLAUSE.get(short, ()) and len(words) <= _LONGEST_CLAUSE and "," not in text and not asks
    if half or _breaks_off(words, short, asks=asks):
        return Ending.OPEN
    return Ending.CLOSED if asks and asks_in_full(words, short) else Ending.FINISHED


def _breaks_off(words: list[str], language: str, *, asks: bool) -> bool:
    """Whether no sentence ends like these words."""
    said, last = " ".join(words), words[-1]
    if last in _OPEN_WORDS.get(language, ()):
        return not said.endswith(_WHOLE.get(language, ()))
    if last in _AUXILIARIES.get(language, ()):
        return not _is_whole_with_an_auxiliary(words, language)
    if len(words) > 2 and last in _WHOM.get(language, ()):
        return words[-2] in _GIVING.get(language, ())
    asks = asks or not _QUESTION.get(language, frozenset()).isdisjoint(words)
    return last in _OPEN_IN_STATEMENTS.get(language, ()) and not asks


def _is_whole_with_an_auxiliary(words: list[str], language: str) -> bool:
    """Whether it is a short answer, or asks what or where something is after other words: "I know what it is"."""
    if words[0] in _ANSWER.get(language, ()) or (len(words) <= 2 and words[-1].endswith("t")):
        return True
    asked = _ASKED.get(language, frozenset())
    return any(word in asked for word in words[1:-2])
