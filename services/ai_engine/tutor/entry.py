"""A value in a YAML file that knows where it stands, so that a complaint can name the file and the key."""

from collections.abc import Mapping
from pathlib import Path
from typing import cast

import yaml

from mesh.errors import InvalidFieldError
from services.ai_engine.yaml_text import parsed


class ScenarioFileError(InvalidFieldError):
    """A scenario file can't be played. `metadata` holds the file's name and the key."""

    def __init__(self, file: str, key: str, problem: str) -> None:
        super().__init__(f"{file}: {key}: {problem}", field=key, metadata={"file": file, "key": key})


def load(path: Path) -> "Entry":
    """Reads a YAML file. Raises ScenarioFileError."""
    try:
        return Entry(path.name, "", parsed(path.read_text(encoding="utf-8")))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}" if mark is not None else "file"
        raise ScenarioFileError(path.name, place, "this is not YAML; check quotes and indentation") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioFileError(path.name, "file", "can't be read as UTF-8 text") from error


class Entry:
    """A value in a file that knows where it stands."""

    def __init__(self, file: str, key: str, value: object) -> None:
        self.file = file
        self.key = key
        self.value = value

    def wrong(self, problem: str) -> ScenarioFileError:
        """The complaint that this value is not right."""
        return ScenarioFileError(self.file, self.key or "file", problem)

    def mapping(self) -> Mapping[str, object]:
        """This value as keys to values."""
        if not isinstance(self.value, dict):
            raise self.wrong("should be a mapping of keys to values")
        strange = next((key for key in self.value if not isinstance(key, str)), None)
        if strange is not None:
            raise self.wrong(f"the key {strange!r} is not text; put it in quotes")
        return cast("Mapping[str, object]", self.value)  # The keys were checked on the lines above.

    def allow(self, *keys: str) -> None:
        """Complains of keys other than these."""
        for key in self.mapping():
            if key not in keys:
                raise self.child(key).wrong(f"not known here; known are {', '.join(keys)}")

    def has(self, key: str) -> bool:
        """Whether there is such a key."""
        return key in self.mapping()

    def child(self, key: str) -> "Entry":
        """The value of a key that has to be there."""
        if key not in self.mapping() or self.mapping()[key] is None:
            raise Entry(self.file, self._path(key), None).wrong("is missing or has no value")
        return Entry(self.file, self._path(key), self.mapping()[key])

    def children(self, key: str, *, default: bool = False) -> dict[str, "Entry"]:
        """The entries of a mapping by name; none where the key is missing and `default` is set."""
        if default and not self.has(key):
            return {}
        child = self.child(key)
        return {name: child.child(name) for name in child.mapping()}

    def listed(self, key: str) -> list["Entry"]:
        """The entries of a list that has to be there."""
        child = self.child(key)
        if not isinstance(child.value, list) or not child.value:
            raise child.wrong("should be a list with at least one entry")
        return [Entry(self.file, f"{child.key}[{index}]", value) for index, value in enumerate(child.value)]

    def text(self, key: str, default: str | None = None) -> str:
        """The text of a key."""
        if default is not None and not self.has(key):
            return default
        child = self.child(key)
        return child.as_text()

    def as_text(self) -> str:
        """This value as one line of text."""
        if not isinstance(self.value, str) or not self.value.strip():
            raise self.wrong("should be text; put numbers and words such as yes and no in quotes")
        return " ".join(self.value.split())

    def texts(self) -> tuple[str, ...]:
        """This value, which is one text or a list of them."""
        if isinstance(self.value, str):
            return (self.as_text(),)
        if not isinstance(self.value, list) or not self.value:
            raise self.wrong("should be text or a list of texts")
        return tuple(
            Entry(self.file, f"{self.key}[{index}]", value).as_text() for index, value in enumerate(self.value)
        )

    def optional_texts(self, key: str) -> tuple[str, ...]:
        """The texts of a key, or none where it is missing."""
        return self.child(key).texts() if self.has(key) else ()

    def number(self, key: str, default: int) -> int:
        """The whole number of a key."""
        if not self.has(key):
            return default
        value = self.child(key).value
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise self.child(key).wrong("should be a whole number")
        return value

    def yes(self, key: str, *, default: bool) -> bool:
        """The truth value of a key."""
        if not self.has(key):
            return default
        value = self.child(key).value
        if not isinstance(value, bool):
            raise self.child(key).wrong("should be true or false")
        return value

    def _path(self, key: str) -> str:
        return f"{self.key}.{key}" if self.key else key
