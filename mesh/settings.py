"""Reads the settings of a unit from the environment; the only file that touches `os.environ`."""

import dataclasses
import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar, get_type_hints

from mesh.errors import InvalidFieldError

T = TypeVar("T")
V = TypeVar("V")

_log: Final = logging.getLogger(__name__)

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})


def setting(default: V, *, help: str, secret: bool = False) -> V:  # noqa: A002 (the word people expect)
    """Declares one field of a settings class: its default, what it is for, and whether prints mask it."""
    declared: Any = dataclasses.field(default=default, metadata={"help": help, "secret": secret})
    return declared  # type: ignore[no-any-return]  # dataclasses replaces the Field by a value of type V.


@dataclasses.dataclass(frozen=True, slots=True)
class SettingDescription:
    """One line of the settings reference."""

    variable: str
    type_name: str
    default: str
    help: str
    secret: bool


def load(cls: type[T], environment: Mapping[str, str] | None = None, **overrides: object) -> T:
    """Fills the frozen dataclass `cls` from `VIVAVOCE_<UNIT>_<FIELD>`, where `cls.UNIT` names the unit.

    `overrides` win over the environment and are taken as they are. Field types: str, int, float, bool, Path, and
    tuple[str, ...] (separated by commas). What came out is logged, secrets masked.

    Raises:
        InvalidFieldError: a variable can't be read as its type; the message names it and says what to write instead.
    """
    source = os.environ if environment is None else environment
    values: dict[str, object] = {}
    for field, type_, variable in _declared(cls):
        if field.name in overrides:
            values[field.name] = overrides.pop(field.name)
        elif variable in source:
            values[field.name] = _parse(source[variable], type_, variable)
    if overrides:
        raise InvalidFieldError(
            f"{cls.__name__} has no setting {', '.join(sorted(overrides))}; remove it.", field=min(overrides)
        )
    settings = cls(**values)
    _log.info("settings", extra={"settings_of": cls.__module__, "settings": masked(settings)})
    return settings


def environment_with(variables: Mapping[str, str]) -> dict[str, str]:
    """The environment for a process to be started: ours, with `variables` in place of what it has of these."""
    return os.environ | dict(variables)


def set_where_missing(variables: Mapping[str, str]) -> None:
    """Sets those of `variables` that the environment of this process does not have."""
    for name, value in variables.items():
        os.environ.setdefault(name, value)


def masked(settings: object) -> dict[str, str]:
    """The settings by name as text, secrets replaced by `***` where they are set."""
    shown = {}
    for field in dataclasses.fields(settings):  # type: ignore[arg-type]  # Any settings dataclass; it is checked here.
        value = getattr(settings, field.name)
        shown[field.name] = "***" if field.metadata.get("secret") and value else _shown(value)
    return shown


def describe(cls: type[object]) -> list[SettingDescription]:
    """What the settings reference says about `cls`, field by field."""
    return [
        SettingDescription(
            variable=variable,
            type_name=_name(type_),
            default=_shown(field.default),
            help=str(field.metadata.get("help", "")),
            secret=bool(field.metadata.get("secret")),
        )
        for field, type_, variable in _declared(cls)
    ]


def _declared(cls: type[object]) -> list[tuple["dataclasses.Field[Any]", Any, str]]:
    unit: str = cls.UNIT  # type: ignore[attr-defined]  # Every settings class names its unit.
    hints = get_type_hints(cls)
    return [
        (field, hints[field.name], f"VIVAVOCE_{unit}_{field.name}".upper())
        for field in dataclasses.fields(cls)  # type: ignore[arg-type]  # As above.
    ]


def _parse(text: str, type_: object, variable: str) -> object:
    parse, wanted = _PARSERS[_name(type_)]
    try:
        return parse(text)
    except ValueError:
        # The text itself may be a secret in the wrong place; it is not repeated.
        raise InvalidFieldError(f"{variable} can't be read; set it to {wanted}.", field=variable) from None


def _truth(text: str) -> bool:
    word = text.strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ValueError(word)


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _path(text: str) -> Path:
    return Path(text).expanduser()


def _name(type_: object) -> str:
    return type_.__name__ if isinstance(type_, type) and type_ is not tuple and "[" not in str(type_) else str(type_)


def _shown(value: object) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value)


_PARSERS: dict[str, tuple[Callable[[str], object], str]] = {
    "str": (str, "text"),
    "int": (int, "a whole number, such as 8"),
    "float": (float, "a number, such as 0.5"),
    "bool": (_truth, "true or false"),
    "Path": (_path, "a path, such as ~/.local/share/vivavoce"),
    "tuple[str, ...]": (_words, "words separated by commas"),
}
