"""`viva models`: fetches, lists and verifies the model files."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cli.options import command_line
from mesh.settings import load
from services.ai_engine.catalogue import CATALOGUE
from services.ai_engine.models import Finding, ModelFetchError, ModelSettings, Progress
from services.ai_engine.models import fetch as fetch_models
from services.ai_engine.models import verify as verify_models

app = command_line("The speech and language models on this machine.")

Folder = Annotated[
    Path | None,
    typer.Option("--folder", help="Models folder; VIVAVOCE_MODELS_DIR or the user's data folder if not given."),
]
Llama = Annotated[bool, typer.Option("--llama", help="The small local language model too (98 MB).")]


@app.command()
def fetch(folder: Folder = None, llama: Llama = False) -> None:
    """Downloads the models that are missing; may be repeated and interrupted."""
    place = _folder(folder)
    console = Console()

    def report(progress: Progress) -> None:
        match progress.step:
            case "present":
                console.print(f"✓ {progress.model.title}: already there")
            case "downloading":
                console.print(f"  {progress.model.title}: downloading ({_megabytes(progress.model.carrier.size)}) …")
            case "ready":
                console.print(f"✓ {progress.model.title}: ready")

    try:
        fetch_models(place, report, llama=llama)
    except ModelFetchError as error:
        Console(stderr=True).print(f"✗ {error.message}")
        raise typer.Exit(1) from error
    console.print(f"Models are in {place}", soft_wrap=True)


@app.command("list")
def list_models() -> None:
    """Shows each model, its licence and where it comes from."""
    table = Table("name", "model", "size", "licence", "origin", "taken from")
    for model in CATALOGUE:
        name = f"{model.name} (optional)" if model.optional else model.name
        size = _megabytes(model.size)
        table.add_row(name, model.title, size, model.licence, model.origin, model.carrier.requirement)
    Console().print(table)


@app.command()
def verify(folder: Folder = None, llama: Llama = False) -> None:
    """Compares the files with their checksums; exits with 1 if one is missing or changed."""
    findings = verify_models(_folder(folder), llama=llama)
    console = Console()
    for finding in findings:
        console.print(_line(finding))
    if any(finding.state != "right" for finding in findings):
        console.print("Run `viva models fetch` to mend it.")
        raise typer.Exit(1)


def _folder(folder: Path | None) -> Path:
    return folder or load(ModelSettings).dir


def _line(finding: Finding) -> str:
    match finding.state:
        case "right":
            return f"✓ {finding.file.path}"
        case "missing":
            return f"✗ {finding.file.path}: missing"
        case "changed":
            return f"✗ {finding.file.path}: its checksum is not the right one"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.0f} MB"
