"""Reads the fields of a JSON object that a stranger sent, with errors that name the path and repeat nothing of it."""

import math
from collections.abc import Sequence
from typing import Any, TypeVar

from edge.realtime.refused import RefusedEventError, invalid

T = TypeVar("T")


class Fields:
    """An object and where it stands. A field that is null counts as absent, unless `has_null` is asked."""

    def __init__(self, found: Any, path: str) -> None:  # noqa: ANN401 (JSON)
        if not isinstance(found, dict):
            raise _wrong_type("an object", path)
        self._found = found
        self._path = path

    def __contains__(self, name: str) -> bool:
        return self._found.get(name) is not None

    def has_null(self, name: str) -> bool:
        """Whether the field is there, and null."""
        return name in self._found and self._found[name] is None

    def names(self) -> list[str]:
        """The fields that are there."""
        return list(self._found)

    def path(self, name: str) -> str:
        """Where the field stands."""
        return f"{self._path}.{name}" if self._path else name

    def raw(self, name: str) -> Any:  # noqa: ANN401 (JSON)
        """The field as it came."""
        return self._found.get(name)

    def part(self, name: str) -> "Fields":
        """The object in a field; an empty one where there is none."""
        return Fields(self._found[name] if name in self else {}, self.path(name))

    def parts(self, name: str, at_most: int) -> list["Fields"]:
        """The objects in a list; none where there is no list."""
        found: list[Any] = self._is(list, "an array", name, [])
        if len(found) > at_most:
            raise invalid(f"{self.path(name)} may have at most {at_most} elements.", self.path(name))
        return [Fields(each, f"{self.path(name)}[{place}]") for place, each in enumerate(found)]

    def text(self, name: str, default: str | None = None, *, longest: int = 10_000) -> str:
        """A string; `default` where there is none, and an error where that is None."""
        found = self._is(str, "a string", name, default)
        if len(found) > longest:
            raise RefusedEventError(
                "string_above_max_length", f"{self.path(name)} may have {longest} characters.", self.path(name)
            )
        return found

    def word(self, name: str, known: Sequence[str], default: str | None = None) -> str:
        """One of the `known` strings."""
        found = self.text(name, default)
        if found not in known:
            raise invalid(f"{self.path(name)} must be one of {', '.join(known)}.", self.path(name))
        return found

    def flag(self, name: str, default: bool) -> bool:
        """True or false."""
        return self._is(bool, "true or false", name, default)

    def whole(self, name: str, default: int | None = None, *, least: int = 0, most: int = 2**31) -> int:
        """An integer within bounds."""
        found = self._is(int, "an integer", name, default)
        if isinstance(found, bool) or not least <= found <= most:
            raise invalid(f"{self.path(name)} must be an integer from {least} to {most}.", self.path(name))
        return found

    def number(self, name: str, default: float, *, least: float, most: float) -> float:
        """A number within bounds."""
        found = float(self._is((int, float), "a number", name, default))
        if not math.isfinite(found) or not least <= found <= most:
            raise invalid(f"{self.path(name)} must be a number from {least} to {most}.", self.path(name))
        return found

    def _is(self, kind: Any, called: str, name: str, default: T | None) -> T:  # noqa: ANN401 (a type, or several)
        if name not in self:
            if default is None:
                raise RefusedEventError("missing_required_parameter", f"{self.path(name)} is missing.", self.path(name))
            return default
        found = self._found[name]
        if not isinstance(found, kind) or (isinstance(found, bool) and kind is not bool):
            raise _wrong_type(called, self.path(name))
        return found  # type: ignore[no-any-return]  # Looked at above.


def _wrong_type(called: str, path: str) -> RefusedEventError:
    return RefusedEventError("invalid_type", f"{path or 'An event'} must be {called}.", path)
