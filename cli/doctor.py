"""`viva doctor`: looks at this machine, and says what mends what is wrong."""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import typer

from cli import checkup
from cli.addresses import DATA_DIR
from cli.checkup import Finding
from cli.output import console, marked, print_json


def doctor(*, as_json: bool, data_dir: Path | None) -> None:
    """Prints a line for each finding as it is made; exits with 1 where something is wrong."""
    findings = []
    for finding in _findings((data_dir or DATA_DIR).expanduser()):
        findings.append(finding)
        if not as_json:
            _tell(finding)
    wrong = sum(finding.state == "wrong" for finding in findings)
    if as_json:
        print_json({"healthy": wrong == 0, "findings": [dataclasses.asdict(finding) for finding in findings]})
    elif not wrong:
        console().print("\nAll is well: `viva up` starts it.")
    if wrong:
        raise typer.Exit(1)


def _findings(data_dir: Path) -> Iterator[Finding]:
    """One after another: some take seconds."""
    looks: tuple[Callable[[], Iterator[Finding]], ...] = (
        checkup.python,
        checkup.memory,
        lambda: checkup.disk(data_dir),
        checkup.ports,
        checkup.doors,
        checkup.models,
        checkup.speech,
        checkup.devices,
        checkup.keys,
        lambda: checkup.stores(data_dir),
    )
    for look in looks:
        yield from look()


def _tell(finding: Finding) -> None:
    screen = console()
    screen.print(marked(finding.state, f"{finding.name:<12}{finding.found}"))
    if finding.remedy:
        screen.print(f"  {'':<12}{finding.remedy}", markup=False)
