"""`viva media`: tries the store of recordings out, and has it remove what is old."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from cli.options import DataDir, Json, command_line
from cli.output import console, marked, print_json, told_kindly
from cli.units import settings_of
from mesh.errors import InvalidFieldError
from mesh.server import run

if TYPE_CHECKING:
    from services.media.settings import Settings

app = command_line("The store of recordings.")


@app.command()
def doctor(
    as_json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """Try the store out: keep, give back, play, refuse, delete. It leaves nothing there."""
    with told_kindly():
        faults = run(_doctor(_settings(data_dir), as_json))
    if faults:
        raise typer.Exit(1)


@app.command()
def lifecycle(
    days: Annotated[int, typer.Option(min=1, help="Days after which the store removes a file by itself.")],
    data_dir: DataDir = None,
) -> None:
    """Have the bucket remove what is old by itself, should the service not: choose some days more than it keeps."""
    with told_kindly():
        run(_expire_after(_settings(data_dir), days))
    console().print(marked("right", f"The store removes files after {days} days, and unfinished uploads after one."))


def _settings(data_dir: Path | None) -> "Settings":
    return cast("Settings", settings_of("media", data_dir, {}))  # The unit of that name has these.


async def _doctor(settings: "Settings", as_json: bool) -> int:
    if settings.store == "local":
        return _local(settings.archive(), as_json)
    from services.media.blobs.probe import probe

    findings = []
    async for finding in probe(settings):
        findings.append(finding)
        if not as_json:
            state = "wrong" if finding.fault else "right"
            console().print(marked(state, finding.name + (f": {finding.fault}" if finding.fault else "")))
    faults = sum(bool(finding.fault) for finding in findings)
    if as_json:
        told = [{"name": each.name, "right": not each.fault, "fault": each.fault} for each in findings]
        print_json({"store": "s3", "profile": settings.s3_profile, "healthy": not faults, "findings": told})
    elif faults:
        console().print("\nSee the settings VIVAVOCE_MEDIA_S3_… and what the identity may do.")
    return faults


def _local(folder: Path, as_json: bool) -> int:
    if as_json:
        print_json({"store": "local", "folder": str(folder), "healthy": True, "findings": []})
    else:
        console().print(marked("right", f"Recordings are kept in {folder}; `viva doctor` looks at that disk."))
    return 0


async def _expire_after(settings: "Settings", days: int) -> None:
    if settings.store != "s3":
        raise InvalidFieldError("Only a bucket removes files by itself; set VIVAVOCE_MEDIA_STORE=s3.", field="store")
    from services.media.blobs.opening import open_s3

    async with asyncio.timeout(60), open_s3(settings) as blobs:
        await blobs.expire_after(days)
