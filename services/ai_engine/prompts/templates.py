"""The wording of prompts as versioned files beside this one: `<name>.v<number>.txt`, one of each name."""

from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Final

_FOLDER: Final = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class PromptTemplate:
    """One file. `version` is its name without the ending, such as "tutor.v2"; answers can be traced to it."""

    version: str
    text: str

    @classmethod
    def read(cls, name: str) -> "PromptTemplate":
        """The template called `name`. Blocks."""
        (path,) = _FOLDER.glob(f"{name}.v*.txt")
        return cls(path.stem, path.read_text(encoding="utf-8").strip())

    def filled(self, **values: str) -> str:
        """The text with every place filled. Raises KeyError for a place that nothing is given for."""
        return Template(self.text).substitute(values).strip()
