"""What a learner searches for: words that all must be there, and phrases in quotes whose words follow each other."""

import re
from typing import Final

from mesh.errors import InvalidFieldError
from services.history.domain.words import search_words

#: What comes after so many is not looked for.
_MOST: Final = 20
_TERM: Final = re.compile(r'"([^"]*)"|([^\s"]+)')


def phrases(query: str) -> tuple[str, ...]:
    """Each word or phrase as plain words, with one space between two. Signs and operators mean nothing.

    Raises:
        InvalidFieldError: there is no word in it.
    """
    found = (" ".join(search_words(quoted or plain)) for quoted, plain in _TERM.findall(query))
    wanted = tuple(dict.fromkeys(phrase for phrase in found if phrase))[:_MOST]
    if not wanted:
        raise InvalidFieldError("query has no word in it; write one that was said, without signs.", field="query")
    return wanted
