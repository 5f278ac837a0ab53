"""Tells a long talk in few words: asks a language model for it, or picks the sentences that tell most."""

import re
from collections.abc import Sequence
from typing import Final

from services.ai_engine.domain.roles import Line, TutorContext
from services.ai_engine.prompts.languages import language_name
from services.ai_engine.prompts.quoting import quoted
from services.ai_engine.prompts.templates import PromptTemplate

_LONGEST: Final = 1500
#: What is picked without a model is shorter: it is less worth reading.
_LONGEST_PICKED: Final = 700
_LONGEST_LINE: Final = 500
_SENTENCE: Final = re.compile(r"[^.!?\u3002\uff01\uff1f]+[.!?\u3002\uff01\uff1f]*")
_WORD: Final = re.compile(r"\w+")
#: Telling about oneself, in the languages whose words for it are sure.
_OF_ONESELF: Final = frozenset(
    {"i", "my", "me", "we", "our", "ich", "mein", "meine", "wir", "je", "mon", "ma", "nous", "yo"}
)
_LEAST_WORDS: Final = 4


def summary_instructions(context: TutorContext) -> str:
    """What the model is to do; the notes and the lines are the text it gets."""
    return PromptTemplate.read("summary").filled(language=language_name(context.learner.target_language))


def summary_request(context: TutorContext, lines: Sequence[Line]) -> str:
    """The notes so far and the lines that follow, as data."""
    told = "\n".join(f"{line.speaker}: {quoted(line.text, _LONGEST_LINE)}" for line in lines)
    return f"Notes so far: {quoted(context.summary.text or 'none', _LONGEST)}\nLines:\n{told}"


def read_summary(answer: str) -> str:
    """The notes in an answer, on one line; empty where there are none."""
    return " ".join(answer.split())[:_LONGEST].strip()


def picked(before: str, lines: Sequence[Line]) -> str:
    """The sentences of the learner that tell most, after those picked before, in the order they were said."""
    spoken = [
        *_sentences(before),
        *(each for line in lines if line.speaker == "learner" for each in _sentences(line.text)),
    ]
    unique = list(dict.fromkeys(spoken))
    best: set[int] = set()
    length = 0
    for place in sorted(range(len(unique)), key=lambda each: (-_worth(unique[each]), -each)):
        if length + len(unique[place]) + 1 <= _LONGEST_PICKED:
            best.add(place)
            length += len(unique[place]) + 1
    return " ".join(unique[place] for place in sorted(best))


def _sentences(text: str) -> list[str]:
    sentences = (each.strip() for each in _SENTENCE.findall(" ".join(text.split())))
    return [each for each in sentences if len(_WORD.findall(each)) >= _LEAST_WORDS]


def _worth(sentence: str) -> int:
    """Numbers and names tell much, what people say of themselves tells more, questions little."""
    words = _WORD.findall(sentence)
    names = sum(1 for word in words[1:] if word[0].isupper() and word.casefold() not in _OF_ONESELF)
    numbers = sum(1 for word in words if word.isdigit())
    oneself = any(word.casefold() in _OF_ONESELF for word in words)
    return 2 * names + 2 * numbers + 3 * oneself - 2 * sentence.endswith("?") + min(len(words), 15) // 5
