"""Understands a turn: which slots it fills, which intents it carries, whether it asks something."""

from collections.abc import Iterable
from dataclasses import dataclass

from services.ai_engine.tutor.intents import IntentMatcher
from services.ai_engine.tutor.script import Slot
from services.ai_engine.tutor.slots import Found, find
from services.ai_engine.tutor.words import Token, normalised, tokens

#: What is read of a turn, in characters; a spoken turn is far shorter.
LONGEST_TURN = 2_000

#: What the recogniser makes of silence or noise.
_GHOSTS = frozenset({"you", "thanks for watching", "thank you for watching", "bye bye bye", "the", "a", "so", "hm"})
_QUESTION_STARTS = frozenset({
    "what", "where", "when", "why", "how", "who", "which", "whose", "do", "does", "did", "is", "are", "was", "were",
    "can", "could", "would", "will", "shall", "should", "may", "have", "has", "am",
})  # fmt: skip

_ASKED_BACK = ("and you", "about you", "how much")


@dataclass(frozen=True, slots=True)
class Heard:
    """One turn, understood as far as the script goes."""

    words: tuple[str, ...]
    slots: Found
    #: Intent to likeness, likeliest first.
    intents: dict[str, float]
    is_question: bool

    @property
    def empty(self) -> bool:
        """Whether nothing was said, or only what a recogniser invents in silence."""
        return not self.words or " ".join(self.words) in _GHOSTS


def hear(
    text: str, *, slots: Iterable[Slot], matcher: IntentMatcher, awaited_slot: str, awaited_intents: Iterable[str]
) -> Heard:
    """Reads a turn in the light of what the tutor has just asked for."""
    text = text[:LONGEST_TURN]
    spoken = tokens(text)
    return Heard(
        words=tuple(token.word for token in spoken),
        slots=find(slots, spoken, text, awaited_slot),
        intents=matcher.heard(spoken, awaited_intents),
        is_question=_asks(text, spoken),
    )


def _asks(text: str, spoken: tuple[Token, ...]) -> bool:
    if text.rstrip().endswith("?") or any(f" {asking} " in f" {normalised(text)} " for asking in _ASKED_BACK):
        return True
    openings = [token.word for index, token in enumerate(spoken) if index == 0 or spoken[index - 1].part != token.part]
    return any(word in _QUESTION_STARTS for word in openings)
