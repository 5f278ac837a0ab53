"""Path templates of `google.api.http`: literals, variables of one segment each, and a verb at the end."""

import re
from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import unquote

_LITERAL: Final = re.compile(r"[a-z0-9._~-]+")
_VARIABLE: Final = re.compile(r"\{([a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*)\}")


@dataclass(frozen=True, slots=True)
class Path:
    """The path of a request, taken apart before its percent signs were read: `%2F` divides nothing."""

    segments: tuple[str, ...]
    verb: str = ""

    @classmethod
    def parse(cls, raw: str) -> Self | None:
        """The path `/a/b:verb`; None where it is none that a template could match."""
        *before, last = raw.removeprefix("/").split("/")
        last, _, verb = last.partition(":")
        try:
            segments = tuple(unquote(segment, errors="strict") for segment in (*before, last))
        except UnicodeDecodeError:
            return None
        return cls(segments, verb) if all(segments) else None


@dataclass(frozen=True, slots=True)
class Variable:
    """A segment that stands for a field, such as `{conversation_id}` or `{book.id}`."""

    field: str


@dataclass(frozen=True, slots=True)
class Template:
    """`/v1/conversations/{conversation_id}:end`."""

    segments: tuple[str | Variable, ...]
    verb: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """The template that the contract writes so.

        Raises:
            ValueError: it uses what this door does not know, such as variables of several segments.
        """
        path, _, verb = text.removeprefix("/").partition(":")
        return cls(tuple(map(_segment, path.split("/"))), verb)

    def match(self, path: Path) -> dict[str, str] | None:
        """The fields that `path` gives values to; None where it is another path."""
        if len(path.segments) != len(self.segments) or path.verb != self.verb:
            return None
        found = {}
        for expected, segment in zip(self.segments, path.segments, strict=True):
            if isinstance(expected, Variable):
                found[expected.field] = segment
            elif expected != segment:
                return None
        return found

    @property
    def fields(self) -> list[str]:
        """The fields it has variables for."""
        return [segment.field for segment in self.segments if isinstance(segment, Variable)]

    @property
    def order(self) -> tuple[bool, ...]:
        """Sorts templates so that `/users/me` is tried before `/users/{user_id}`."""
        return tuple(isinstance(segment, Variable) for segment in self.segments)

    def __str__(self) -> str:
        parts = (f"{{{each.field}}}" if isinstance(each, Variable) else each for each in self.segments)
        return "/" + "/".join(parts) + (f":{self.verb}" if self.verb else "")


def _segment(text: str) -> str | Variable:
    if variable := _VARIABLE.fullmatch(text):
        return Variable(variable[1])
    if _LITERAL.fullmatch(text):
        return text
    raise ValueError(f"The path segment {text!r} is neither a word nor a variable of one segment.")
