"""Prints for people: colours and panels on a terminal, plain lines elsewhere."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import typer
from rich.console import Console

from mesh.errors import VivavoceError

MARKS: Final = {"right": "✓", "warning": "!", "wrong": "✗"}
#: Where the output is no terminal, lines are long rather than broken.
_PLAIN_WIDTH: Final = 140
_COLOURS: Final = {"right": "green", "warning": "yellow", "wrong": "red"}


def console(*, stderr: bool = False) -> Console:
    """Where to print for people; without colours where it is no terminal."""
    made = Console(stderr=stderr, highlight=False, soft_wrap=True)
    return made if made.is_terminal else Console(stderr=stderr, highlight=False, soft_wrap=True, width=_PLAIN_WIDTH)


def print_json(value: dict[str, Any]) -> None:
    """Prints one line of JSON, at once."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def marked(state: str, line: str) -> str:
    """`line` behind the mark of its state: right, warning or wrong."""
    return f"[{_COLOURS[state]}]{MARKS[state]}[/] {line}"


@contextmanager
def told_kindly() -> Iterator[None]:
    """Tells an expected error in one line and exits with 1; with 130 where Ctrl-C was pressed."""
    try:
        yield
    except VivavoceError as error:
        named = error.message.replace("-", "_")
        where = f" ({error.field})" if error.field and error.field not in named else ""
        console(stderr=True).print(marked("wrong", error.message + where), markup=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
