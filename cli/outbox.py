"""`viva outbox`: what history refuses for good, on the database of the conversation service itself."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar, cast

import typer
from rich.table import Table

from cli.options import DataDir, command_line
from cli.output import console, print_json, told_kindly
from cli.units import settings_of
from mesh.database import Database
from services.conversation.set_aside import SetAside, SetAsides
from services.conversation.settings import Settings

app = command_line("What waits for history, and what it refuses.")

T = TypeVar("T")


@app.command("list")
def list_set_aside(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for scripts, and nothing else.")] = False,
    data_dir: DataDir = None,
) -> None:
    """List conversations that are set aside: from which event on, why, since when, and how many events wait."""
    found = _done(data_dir, lambda asides: asides.all())
    if as_json:
        print_json({"set_aside": [_shown(each) for each in found]})
        return
    if not found:
        console().print("Nothing is set aside.")
        return
    table = Table("conversation", "event", "reason", "message", "since", "waiting")
    for each in found:
        table.add_row(*(str(value) for value in _shown(each).values()))
    console().print(table)


@app.command()
def retry(data_dir: DataDir = None) -> None:
    """Have everything that is set aside sent again, once the cause is mended; what is refused still comes back here."""
    _done(data_dir, lambda asides: asides.send_again())
    console().print("It is sent again within seconds.")


def _done(data_dir: Path | None, wanted: Callable[[SetAsides], Awaitable[T]]) -> T:
    settings = cast("Settings", settings_of("conversation", data_dir, {}))  # The unit of that name has these.

    async def done() -> T:
        async with Database(settings.database, 1) as database:
            return await wanted(SetAsides(database))

    with told_kindly():
        return asyncio.run(done())


def _shown(found: SetAside) -> dict[str, object]:
    return {
        "conversation_id": found.conversation_id,
        "sequence": found.sequence,
        "reason": found.reason,
        "message": found.message,
        "since": found.since.isoformat(timespec="seconds"),
        "waiting": found.waiting,
    }
