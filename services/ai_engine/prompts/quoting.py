"""Puts what people said into prompts so that it can't be taken for anything else."""

import json
import re
import unicodedata
from collections.abc import Iterable
from typing import Final

#: What chat templates of language models take for the borders between roles, however it is written.
_BORDERS: Final = re.compile(
    r"<(?=\s*[|/!a-zA-Z_])|\[(?=\s*/?\s*(?:INST|SYS|SYSTEM|TOOL|AVAILABLE_TOOLS)\w*\s*\])", re.IGNORECASE
)
_OPENED: Final = {"<": "\u2039", "[": "("}


def said(text: str) -> str:
    """A line of the talk as it may stand in a message of its own: no borders between roles, nothing invisible."""
    return _BORDERS.sub(lambda match: _OPENED[match[0]], _visible(text))


def quoted(text: str, longest: int = 300) -> str:
    """Data on one line, in quotation marks that nothing within can close, and without angle brackets."""
    line = " ".join(_visible(text).split())[:longest].replace("<", "\u2039").replace(">", "\u203a")
    return json.dumps(said(line), ensure_ascii=False)


def listed(texts: Iterable[str]) -> str:
    """Several of them, one a line."""
    return "\n".join(f"- {quoted(text)}" for text in texts)


def _visible(text: str) -> str:
    # Characters that change the direction of writing, or hide, are in nobody's speech.
    return "".join(
        each for each in text if each in "\n\t" or unicodedata.category(each) not in ("Cc", "Cf", "Co", "Cs")
    )
