"""`viva simulate`: plays scripted learners, on a virtual clock or against a mesh, and judges what came of it."""

import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import typer

from cli.bench.server import mesh_process
from cli.output import console, print_json
from cli.simulation.chance import Chance
from cli.simulation.languages import understands
from cli.simulation.live import play_live, stored_in
from cli.simulation.reading import FOLDER, packaged, read_script
from cli.simulation.report import Played, as_json, show
from cli.simulation.script import GAP_S, Script
from cli.simulation.story import Story
from cli.simulation.verdict import HEARD_ALIKE, always, complaints
from cli.simulation.virtual import play_virtually
from cli.simulation.voice import voice_of_mesh
from cli.talk import check_listening, signed_in
from cli.talking.wires import open_grpc
from mesh.errors import InvalidFieldError, VivavoceError
from mesh.server import run


@dataclass(frozen=True, slots=True)
class SimulateOptions:
    """What the command line said."""

    files: tuple[Path, ...]
    everything: bool
    #: Conversations that vary from the scripts; 0 plays each script once, as it stands.
    count: int
    seed: int
    as_json: bool
    #: In real time against a mesh: the one at `address`, or one that is started for it.
    real: bool = False
    address: str = ""
    token: str = ""


def simulate(options: SimulateOptions) -> None:
    """Plays the scripts and prints what came of them; lists those there are where none is named.

    Raises:
        VivavoceError: a file is missing, or is no script; or the mesh is, or refuses.
        typer.Exit: with 1, a conversation did not go as it should.
    """
    scripts = [read_script(path) for path in _paths(options)]
    if not options.files and not options.everything:
        _list(scripts)
        return
    if options.real and options.count:
        raise InvalidFieldError("Variations are played on the virtual clock only; leave out --real or --n.", field="n")
    began_at = time.perf_counter()
    played = _played(scripts, options)
    took_s = time.perf_counter() - began_at
    mode = "real" if options.real else "virtual"
    if options.as_json:
        print_json(as_json(played, mode, took_s))
    else:
        show(played, mode, took_s)
    if any(each.complaints for each in played):
        raise typer.Exit(1)


def _paths(options: SimulateOptions) -> list[Path]:
    """The files: a bare name is that of a script that comes with Vivavoce."""
    named = [path if path.suffix else FOLDER / f"{path}.yaml" for path in options.files]
    return named or packaged()


def _played(scripts: Sequence[Script], options: SimulateOptions) -> list[Played]:
    if options.real:
        with nullcontext() if options.address else mesh_process({}) as mesh:
            return run(_live(scripts, mesh.grpc if mesh else options.address, options.token))
    return list(_varied(scripts, options.count, options.seed) if options.count else _as_they_stand(scripts))


async def _live(scripts: Sequence[Script], address: str, token: str) -> list[Played]:
    check_listening(address)
    return [each async for each in _one_by_one(scripts, address, token)]


async def _one_by_one(scripts: Sequence[Script], address: str, token: str) -> AsyncIterator[Played]:
    """Each learner is a guest of their own, unless there is a token."""
    for script in scripts:
        async with signed_in(address, token) as (channel, access):
            dial = partial(open_grpc, channel, access.token)
            voice, stored = voice_of_mesh(channel, access.token), stored_in(channel, access.token)
            language = script.choices.target_language
            if not await understands(channel, access.token, language):
                yield Played(script, Story(), (), unplayed=f"nothing that is configured there understands {language}")
                continue
            try:
                story = await play_live(script, dial, voice, stored)
            except VivavoceError as error:
                # One talk that breaks down leaves the others to be played.
                story = Story(broken=error.message)
        yield Played(script, story, _found_live(script, story))


def _found_live(script: Script, story: Story) -> list[str]:
    """A pause that the models took for the end leads the talk away from its script: counted, not complained of."""
    if story.cut_off and not script.expected.cut_offs:
        return list(always(story))
    return complaints(script, story, alike=HEARD_ALIKE, patient_s=GAP_S[1])


def _as_they_stand(scripts: Sequence[Script]) -> Iterator[Played]:
    for script in scripts:
        story = play_virtually(script)
        yield Played(script, story, complaints(script, story))


def _varied(scripts: Sequence[Script], count: int, seed: int) -> Iterator[Played]:
    """Pauses, paces and judgements vary, so that turns may be cut off: counted, and not complained of."""
    for number in range(count):
        script = scripts[number % len(scripts)]
        story = play_virtually(script, Chance(seed + number))
        yield Played(script, story, list(always(story)), variation=seed + number)


def _list(scripts: Sequence[Script]) -> None:
    screen = console()
    width = max(len(script.name) for script in scripts)
    for script in scripts:
        screen.print(f"{script.name:<{width}}  {script.title}", markup=False)
    screen.print("`viva simulate NAME` plays one, `viva simulate --all` all of them.")
