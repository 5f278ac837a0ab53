"""Which sound of a word was said as which other."""

import re
from typing import Final

#: A sound in IPA: an affricate, or a letter with the marks behind it.
_SOUND: Final = re.compile(r"tʃ|dʒ|t͡ʃ|d͡ʒ|\S[\u02b0-\u02ff\u0300-\u036f]*")


def swapped_sound(expected: str, heard: str) -> tuple[str, str] | None:
    """The one sound that differs, as it should be and as it was; None where more than one does, or none is told."""
    wanted, given = _SOUND.findall(expected), _SOUND.findall(heard)
    if len(wanted) != len(given):
        return None
    different = [pair for pair in zip(wanted, given, strict=True) if pair[0] != pair[1]]
    return different[0] if len(different) == 1 else None
