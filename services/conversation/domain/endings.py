"""Reads from the words so far whether a pause is the end: unfinished sentences, and thinking aloud."""

import re
from enum import Enum
from typing import Final


class Ending(Enum):
    """How the words before a pause end."""

    #: Nothing in the words speaks against an end.
    FINISHED = "finished"
    #: A sentence does not end so.
    OPEN = "open"
    #: The learner asks for time.
    THINKING = "thinking"


_WORD: Final = re.compile(r"[\w']+")
_FINAL_MARK: Final = re.compile(r"(?<!\.\.)[.!?\u3002\uff01\uff1f][\"'\u00bb\u201d\u2019)]*\s*$")
_OPEN_MARK: Final = re.compile(r"(?:\.\.+|…|[,:;\u2013\u2014-])\s*$")

#: Words no sentence ends with, or hardly ever.
_OPEN_WORDS: Final = {
    language: frozenset(words.split())
    for language, words in {
        "en": "a an the and or but because so if my your his her our their i we they he she is am are was were "
        "i'm you're he's she's it's we're they're very really some any than that's there's um uh er erm like",
        "de": "ein eine einen einem einer der die das den dem und oder aber weil dass wenn mein meine dein deine "
        "ich wir er sehr zu mit für auf äh ähm also",
        "fr": "un une des le la les l' de du et ou mais parce que qui si mon ma mes ton ta son sa je tu il nous très "
        "avec pour dans à euh alors",
        "es": "un una unos unas el la los las de del y o pero porque que si mi tu su yo muy con para en a eh este",
        "it": "un una uno il lo la i gli le di del e o ma perché che se mio mia tuo suo io molto con per in a eh",
    }.items()
}
#: Words that end questions, as in "Where are you from?", and hardly anything else.
_OPEN_IN_STATEMENTS: Final = {
    language: frozenset(words.split())
    for language, words in {"en": "about at by for from in into of on than to with"}.items()
}
_QUESTION: Final = {
    language: frozenset(words.split())
    for language, words in {"en": "what who whom whose which where when why how"}.items()
}
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
    if unmarked or _OPEN_MARK.search(text) or words[-1] in _OPEN_WORDS.get(short, ()):
        return Ending.OPEN
    asks = text.rstrip().endswith("?") or not _QUESTION.get(short, frozenset()).isdisjoint(words)
    return Ending.OPEN if words[-1] in _OPEN_IN_STATEMENTS.get(short, ()) and not asks else Ending.FINISHED
