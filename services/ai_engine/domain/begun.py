"""An answer that broke off, as far as it was told: what somebody else has to go on with, in plain Python."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from services.ai_engine.domain.run import Usage


@dataclass(frozen=True, slots=True)
class Begun:
    """What was told of an answer; nothing, where it has not begun."""

    #: The text that was told, and of that what did not sound to its end.
    text: str = ""
    rest: str = ""
    #: Words of the rest whose times were told: they are not told again.
    announced: int = 0
    #: Sound that was told, at the output rate.
    samples: int = 0
    #: Whether the text was told to its end.
    over: bool = False
    usage: Usage = field(default_factory=Usage)

    @property
    def sounded(self) -> str:
        """The text that sounded."""
        return self.text.removesuffix(self.rest)


def after_words(text: str, words: Iterable[str]) -> str:
    """What is left of the text after these words, which stand in it in this order."""
    end = 0
    for word in words:
        found = text.find(word, end)
        end = found + len(word) if found >= 0 else end
    return text[end:].lstrip()
