"""`viva providers`: lists who hears, thinks and speaks here, and tries one of them."""

import asyncio
from typing import Annotated, Any

import typer
from rich.table import Table

from cli.conformance import Turn, only, opened, roles_of, take_turn
from cli.options import Json, command_line
from cli.output import MARKS, console, print_json, told_kindly
from mesh.errors import VivavoceError
from services.ai_engine.domain.roles import ProviderRole
from services.ai_engine.registry import ProviderEntry

app = command_line("The providers that hear, think and speak.", alone=True)


@app.callback()
def providers(context: typer.Context, as_json: Json = False) -> None:
    """Lists what is configured: capabilities, languages and voices."""
    if context.invoked_subcommand is not None:
        return
    with told_kindly():
        entries = asyncio.run(_entries())
    if as_json:
        print_json({"providers": [_row(entry) for entry in entries]})
        return
    table = Table("role", "name", "runs", "languages", "voices", "what it is")
    for entry in entries:
        known = entry.capabilities
        table.add_row(
            entry.role.replace("_", " "),
            entry.name + (" (default)" if entry.default else ""),
            "here" if known.local else "paid, elsewhere" if known.paid else "elsewhere",
            ", ".join(sorted(known.languages)) or "any",
            _shortened(known.voices),
            known.label,
        )
    console().print(table)


@app.command("test")
def try_one(name: Annotated[str, typer.Argument(help="A provider by name.")], as_json: Json = False) -> None:
    """Takes one conformance turn with a provider in every role it plays; what is paid costs a little."""
    with told_kindly():
        tries = asyncio.run(_tries(name))
    failed = [tried for tried in tries if isinstance(tried[1], VivavoceError)]
    if as_json:
        print_json({"provider": name, "turns": [_told(role, outcome) for role, outcome in tries]})
    else:
        for role, outcome in tries:
            match outcome:
                case Turn():
                    timing = f"first after {outcome.first_ms:.0f} ms, all after {outcome.whole_ms:.0f} ms"
                    console().print(f"{MARKS['right']} {name} as {role.replace('_', ' ')}: {timing}; {outcome.told}")
                case VivavoceError():
                    console().print(f"{MARKS['wrong']} {name} as {role.replace('_', ' ')}: {outcome.message}")
    if failed:
        raise typer.Exit(1)


async def _entries() -> tuple[ProviderEntry, ...]:
    async with opened() as providers:
        return providers.entries()


async def _tries(name: str) -> list[tuple[ProviderRole, Turn | VivavoceError]]:
    return [(role, await _outcome(name, role)) for role in roles_of(name)]


async def _outcome(name: str, role: ProviderRole) -> Turn | VivavoceError:
    try:
        async with opened(only(name, role)) as providers:
            return await take_turn(providers, role, name)
    except VivavoceError as error:
        return error
    except TimeoutError:
        return VivavoceError("It did not finish a turn in 20 s; try again, or choose another.")


def _row(entry: ProviderEntry) -> dict[str, Any]:
    known = entry.capabilities
    return {
        "role": entry.role,
        "name": entry.name,
        "default": entry.default,
        "local": known.local,
        "paid": known.paid,
        "languages": sorted(known.languages),
        "voices": list(known.voices),
        "streams_in": known.streams_in,
        "streams_out": known.streams_out,
        "word_times": known.word_times,
        "label": known.label,
    }


def _told(role: ProviderRole, outcome: Turn | VivavoceError) -> dict[str, Any]:
    match outcome:
        case Turn():
            return {"role": role, "ok": True, "first_ms": round(outcome.first_ms, 1), "told": outcome.told}
        case VivavoceError():
            return {"role": role, "ok": False, "message": outcome.message, "reason": outcome.reason}


def _shortened(voices: tuple[str, ...]) -> str:
    return ", ".join(voices[:4]) + (" …" if len(voices) > 4 else "")
