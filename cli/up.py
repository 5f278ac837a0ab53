"""`viva up`: everything in one process, from a look at the ports to the last goodbye."""

import asyncio
import contextlib
import fcntl
import sys
import tempfile
import time
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

import typer
from rich.panel import Panel
from rich.status import Status

from cli.addresses import DATA_DIR
from cli.compose import MeshOptions, Report, RunningMesh, run_mesh
from cli.memory import settle_memory
from cli.output import console, print_json
from cli.ports import WantedPort, check_all_free
from cli.signals import until_signal
from mesh import logs
from mesh.errors import AlreadyExistsError, InvalidFieldError
from mesh.server import run
from mesh.settings import load, set_where_missing
from mesh.telemetry import Telemetry, TelemetrySettings
from services.ai_engine.models import ModelSettings, locate
from services.ai_engine.settings import Settings as EngineSettings

#: The providers that need a model file, by its name.
_WITH_MODEL: Final = frozenset({"whisper", "smart_turn", "silero", "llama"})
_LARGEST_LOG_BYTES: Final = 10_000_000


@dataclass(frozen=True, slots=True)
class UpOptions:
    """What the command line said."""

    host: str
    port: int
    grpc_port: int
    data_dir: Path | None
    ephemeral: bool
    as_json: bool
    browse: bool
    #: Whether PostgreSQL, Valkey and SeaweedFS keep what lasts, run for this from their wheels.
    real: bool = False


def up(options: UpOptions) -> None:
    """Runs the mesh until a signal.

    Raises:
        VivavoceError: a model is missing, a port or the data folder is taken, found out before anything starts; or a
            service fails.
    """
    _check_models()
    check_all_free(
        WantedPort(options.host, options.port, "the web", "--port"),
        WantedPort(options.host, options.grpc_port, "gRPC", "--grpc-port"),
    )
    with _data_folder(options) as folder, _stores(options, folder), _log(options, folder) as stream:
        logs.configure("human", "WARNING" if stream is sys.stderr else "INFO", stream)
        telemetry = Telemetry(load(TelemetrySettings), service="vivavoce")
        try:
            run(_serve(options, folder))
        except asyncio.CancelledError:
            raise typer.Exit(130) from None
        finally:
            telemetry.close()


def _check_models() -> None:
    engine = load(EngineSettings)
    chosen = {*engine.recognizers, *engine.language_models, engine.voice_activity, engine.turn_end}
    folder = engine.models()
    settings = load(ModelSettings, dir=folder) if folder else load(ModelSettings)
    for model in sorted(chosen & _WITH_MODEL):
        locate(model, settings)


async def _serve(options: UpOptions, folder: Path) -> None:
    began_at = time.monotonic()
    stop = asyncio.Event()
    with until_signal(stop) as ready, _progress(options) as report:
        mesh_options = MeshOptions(folder, options.host, options.port, options.grpc_port)
        async with run_mesh(mesh_options, report) as mesh:
            # The guest is made even where nobody asked for one: the call goes through every door once and warms it.
            token = await mesh.guest_token()
            settle_memory()
            ready.set()
            report("")
            await _announce(options, folder, mesh, token, time.monotonic() - began_at)
            await stop.wait()
            if not options.as_json:
                console().print("\nLetting open conversations finish; Ctrl-C again stops at once.")


async def _announce(options: UpOptions, folder: Path, mesh: RunningMesh, token: str, ready_s: float) -> None:
    if options.as_json:
        print_json({"web": mesh.web, "grpc": mesh.grpc, "token": token})
        return
    engines = [f"{each.name}: {each.label}" for each in await mesh.providers(token) if each.default]
    kept = "in memory of this run only" if options.ephemeral else str(folder)
    lines = [
        f"Talk      {mesh.web}/#guest   one click, no account",
        f"Web       {mesh.web}",
        f"gRPC      {mesh.grpc}",
        f"Data      {kept}",
        *(f"{'Engines' if number == 0 else '':<10}{engine}" for number, engine in enumerate(engines)),
    ]
    screen = console()
    if screen.is_terminal:
        screen.print(
            Panel("\n".join(lines), title=f"Vivavoce is ready ({ready_s:.1f} s)", expand=False), soft_wrap=False
        )
    else:
        screen.print(f"Vivavoce is ready ({ready_s:.1f} s)", *lines, sep="\n", markup=False)
    screen.print("Ctrl-C stops.")
    if options.browse:
        await asyncio.to_thread(webbrowser.open, f"{mesh.web}/#guest")


@contextmanager
def _progress(options: UpOptions) -> Iterator[Report]:
    """Shows what is being started: a spinner on a terminal, lines elsewhere, on the error output for scripts."""
    screen = console(stderr=options.as_json)
    if screen.is_terminal:
        with contextlib.closing(_Spinner(Status("Starting …", console=screen))) as spinner:
            yield spinner.show
    else:
        yield lambda name: screen.print(f"Starting {name} …") if name else None


class _Spinner:
    """A line that says what is being started, gone when all is."""

    def __init__(self, status: Status) -> None:
        self._status = status
        status.start()

    def show(self, name: str) -> None:
        if name:
            self._status.update(f"Starting {name} …")
        else:
            self.close()

    def close(self) -> None:
        self._status.stop()


@contextmanager
def _data_folder(options: UpOptions) -> Iterator[Path]:
    if options.ephemeral:
        with tempfile.TemporaryDirectory(prefix="vivavoce-") as folder:
            yield Path(folder)
        return
    folder_kept = (options.data_dir or DATA_DIR).expanduser().resolve()
    with held(folder_kept):
        yield folder_kept


@contextmanager
def _stores(options: UpOptions, folder: Path) -> Iterator[None]:
    if not options.real:
        yield
        return
    # Imported only where wanted: what speaks to stores takes a third of a second.
    from cli.stores.installation import real_stores

    # Their own user has to get through.
    folder.chmod(0o711)
    with real_stores(folder / "stores") as places:
        set_where_missing(places)
        yield


@contextmanager
def held(folder: Path, mode: int = 0o700) -> Iterator[None]:
    """Keeps a second mesh from the folder: each would think that it alone sends on what waits there.

    It is made where it is missing.

    Raises:
        AlreadyExistsError: another mesh has it.
        InvalidFieldError: nothing can be written there.
    """
    try:
        folder.mkdir(mode=mode, parents=True, exist_ok=True)
        opened = (folder / "up.lock").open("a")
    except OSError as error:
        raise InvalidFieldError(
            f"Nothing can be kept in {folder} ({error.strerror}); choose another folder with --data-dir.",
            field="data_dir",
        ) from None
    with opened as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyExistsError(
                f"Another `viva up` runs on {folder}; stop it, or choose another folder with --data-dir."
            ) from None
        yield


@contextmanager
def _log(options: UpOptions, folder: Path) -> Iterator[TextIO]:
    """The log file of this data folder; the error output where nothing is kept."""
    if options.ephemeral:
        yield sys.stderr
        return
    path = folder / "logs" / "viva.log"
    path.parent.mkdir(exist_ok=True)
    if path.exists() and path.stat().st_size > _LARGEST_LOG_BYTES:
        path.replace(path.with_suffix(".log.1"))
    with path.open("a", encoding="utf-8", buffering=1) as stream:
        yield stream
