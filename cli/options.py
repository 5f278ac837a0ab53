"""What commands share: how they look, and the options many of them take."""

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON for scripts, and nothing else.")]
DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", help="Folder for everything that lasts; the user's data folder if not given."),
]


def command_line(purpose: str, *, alone: bool = False) -> typer.Typer:
    """A command with commands of its own; `alone`, it does something by itself too."""
    return typer.Typer(
        help=purpose,
        no_args_is_help=not alone,
        invoke_without_command=alone,
        rich_markup_mode=None,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
