"""`viva simulate`: plays scripted learners, on a virtual clock or against a mesh, and judges what came of it."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import typer

from cli.output import console, print_json
from cli.simulation.chance import Chance
from cli.simulation.reading import FOLDER, packaged, read_script
from cli.simulation.report import Played, as_json, show
from cli.simulation.script import Script
from cli.simulation.verdict import always, complaints
from cli.simulation.virtual import play_virtually


@dataclass(frozen=True, slots=True)
class SimulateOptions:
    """What the command line said."""

    files: tuple[Path, ...]
    everything: bool
    #: Conversations that vary from the scripts; 0 plays each script once, as it stands.
    count: int
    seed: int
    as_json: bool


def simulate(options: SimulateOptions) -> None:
    """Plays the scripts and prints what came of them; lists those there are where none is named.

    Raises:
        VivavoceError: a file is missing, or is no script.
        typer.Exit: with 1, a conversation did not go as it should.
    """
    scripts = [read_script(path) for path in _paths(options)]
    if not options.files and not options.everything:
        _list(scripts)
        return
    began_at = time.perf_counter()
    played = list(_varied(scripts, options.count, options.seed) if options.count else _as_they_stand(scripts))
    took_s = time.perf_counter() - began_at
    if options.as_json:
        print_json(as_json(played, "virtual", took_s))
    else:
        show(played, "virtual", took_s)
    if any(each.complaints for each in played):
        raise typer.Exit(1)


def _paths(options: SimulateOptions) -> list[Path]:
    """The files: a bare name is that of a script that comes with Vivavoce."""
    named = [path if path.suffix else FOLDER / f"{path}.yaml" for path in options.files]
    return named or packaged()


def _as_they_stand(scripts: Sequence[Script]) -> Iterator[Played]:
    for script in scripts:
        story = play_virtually(script)
        yield Played(script, story, complaints(script, story))


def _varied(scripts: Sequence[Script], count: int, seed: int) -> Iterator[Played]:
    """Pauses, paces and judgements vary, so that turns may be cut off: counted, and not complained of."""
    for number in range(count):
        script = scripts[number % len(scripts)]
        story = play_virtually(script, Chance(seed + number))
        found = [*always(story), *([story.broken] if story.broken else [])]
        yield Played(script, story, found, variation=seed + number)


def _list(scripts: Sequence[Script]) -> None:
    screen = console()
    width = max(len(script.name) for script in scripts)
    for script in scripts:
        screen.print(f"{script.name:<{width}}  {script.title}", markup=False)
    screen.print("`viva simulate NAME` plays one, `viva simulate --all` all of them.")
