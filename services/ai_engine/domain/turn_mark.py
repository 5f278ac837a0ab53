"""Takes the mark from the beginning of an answer by which a language model tells whether the learner had finished."""

from typing import Final

from services.ai_engine.domain.roles import TurnMark

#: The marks as a model writes them.
MARKS: Final[dict[str, TurnMark]] = {"✓": "finished", "○": "unfinished", "◐": "thinking"}
#: What models put after the character, to choose how it looks.
_LOOKS: Final = "\ufe0e\ufe0f"


class LeadingMark:
    """The mark of one answer, wherever the pieces of the text break: it is never said."""

    def __init__(self) -> None:
        self.mark: TurnMark | None = None
        self._held: str | None = ""

    def feed(self, text: str) -> str:
        """Takes more of the answer; returns what is to be said of it."""
        if self._held is None:
            return text
        text = self._held + text
        bare = text.lstrip()
        if self.mark is None and bare and bare[0] in MARKS:
            self.mark = MARKS[bare[0]]
            bare = bare[1:]
        if self.mark is not None:
            text = bare = bare.lstrip(_LOOKS).lstrip()
        # White space alone may stand before the mark, and what stands after it is not said.
        self._held = None if bare else text
        return text if bare else ""
