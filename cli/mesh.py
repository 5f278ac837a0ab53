"""`viva mesh`: the shape of production on one machine, every service a process of its own on real stores, with mTLS."""

import json
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import Final

from cli.addresses import DATA_DIR, SERVICES
from cli.certs import ensure_certificates
from cli.ingress import ingress
from cli.output import console, print_json
from cli.ports import WantedPort, check_all_free, free_ports, listens, split_address
from cli.stores.installation import real_stores
from cli.stores.program import Program
from cli.up import held
from mesh.errors import UnavailableError

_HOST: Final = "127.0.0.1"
#: Those that say goodbye to learners end first, while those they need still answer.
_FIRST_TO_END: Final = ("edge", "conversation")
_READY_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class MeshOptions:
    """What the command line said. Port 0 is any free one."""

    port: int
    grpc_port: int
    data_dir: Path | None
    as_json: bool


@dataclass(frozen=True, slots=True)
class ProcessMesh:
    """An installation that answers, and its processes by name."""

    web: str
    grpc: str
    programs: Mapping[str, Program]


def mesh(options: MeshOptions) -> None:
    """Runs all of it until a signal.

    Raises:
        VivavoceError: something is not installed, a port or the folder is taken, or a process ended by itself.
    """
    check_all_free(
        WantedPort(_HOST, options.port, "the web", "--port"),
        WantedPort(_HOST, options.grpc_port, "gRPC", "--grpc-port"),
    )
    stop = threading.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda *_: stop.set())
    folder = (options.data_dir or DATA_DIR / "mesh").expanduser().resolve()
    began_at = time.monotonic()
    # The stores run as users of their own, who have to get through.
    with held(folder, mode=0o711), process_mesh(folder, port=options.port, grpc_port=options.grpc_port) as running:
        if options.as_json:
            print_json({"web": running.web, "grpc": running.grpc})
        else:
            _announce(running, folder, time.monotonic() - began_at)
        while not stop.wait(0.5):
            _check_alive(running.programs)
        if not options.as_json:
            console().print("\nLetting open conversations finish …")


@contextmanager
def process_mesh(
    folder: Path, *, port: int = 0, grpc_port: int = 0, variables: Mapping[str, str] | None = None
) -> Iterator[ProcessMesh]:
    """An installation in `folder` for the length of the block; on the way out it drains. Blocks.

    Raises:
        VivavoceError: as for `mesh`.
    """
    certificates = folder / "certificates"
    ensure_certificates(certificates)
    with ExitStack() as stack:
        places = stack.enter_context(real_stores(folder / "stores"))
        names = ("edge", *SERVICES)
        ports = dict(zip((*names, "web", "grpc"), free_ports(len(names) + 2), strict=True))
        addresses = {name: f"{_HOST}:{ports[name]}" for name in names}
        web, grpc = f"{_HOST}:{port or ports['web']}", f"{_HOST}:{grpc_port or ports['grpc']}"
        shared = {
            **places,
            **{f"VIVAVOCE_PEERS_{name.upper()}": addresses[name] for name in SERVICES},
            "VIVAVOCE_PEERS_CERTIFICATES": str(certificates),
            "VIVAVOCE_EDGE_TRUSTED_PROXIES": _HOST,
            **(variables or {}),
        }
        programs = {name: _service(name, addresses[name], folder, shared) for name in names}
        door = ingress(folder / "ingress", certificates, addresses, web=web, grpc=grpc)
        stack.callback(door.stop)
        stack.callback(_end, programs)
        for program in programs.values():
            program.launch()
        for program in programs.values():
            program.wait()
        door.start()
        _wait_until_ready(web, programs)
        yield ProcessMesh(f"http://{web}", grpc, {**programs, "ingress": door})


def _service(name: str, address: str, folder: Path, variables: Mapping[str, str]) -> Program:
    logs, data = folder / "logs", folder / "data" / name
    logs.mkdir(exist_ok=True)
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    command = [sys.executable, "-m", "cli.main", "serve", name, "--address", address, "--data-dir", str(data)]
    place = split_address(address)
    return Program(
        f"The {name} service", command, logs / f"{name}.log", lambda: listens(*place), variables=dict(variables)
    )


def _end(programs: Mapping[str, Program]) -> None:
    """In two steps, each at once: a drain takes seconds."""
    first = [programs[name] for name in _FIRST_TO_END]
    for group in (first, [program for program in programs.values() if program not in first]):
        for program in group:
            program.send(signal.SIGTERM)
        for program in group:
            program.stop()


def _wait_until_ready(web: str, programs: Mapping[str, Program]) -> None:
    ends_at = time.monotonic() + _READY_S
    while not _is_ready(web):
        _check_alive(programs)
        if time.monotonic() > ends_at:
            raise UnavailableError(f"The mesh is not ready after {_READY_S:.0f} s; http://{web}/readyz says why.")
        time.sleep(0.1)


def _is_ready(web: str) -> bool:
    connection = HTTPConnection(web, timeout=5.0)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        # All of them, not only those without which nobody can talk.
        return answer.status == HTTPStatus.OK and set(json.load(answer)["services"].values()) == {"SERVING"}
    except OSError:
        return False
    finally:
        connection.close()


def _check_alive(programs: Mapping[str, Program]) -> None:
    for program in programs.values():
        if program.ended():
            raise UnavailableError(f"{program.name} ended. {program.last_words()}")


def _announce(running: ProcessMesh, folder: Path, ready_s: float) -> None:
    console().print(
        f"Vivavoce is ready ({ready_s:.1f} s), {len(running.programs)} processes on PostgreSQL, Valkey and SeaweedFS",
        f"Talk      {running.web}/#guest   one click, no account",
        f"gRPC      {running.grpc}",
        f"Data      {folder}",
        f"Logs      {folder / 'logs'}",
        "Ctrl-C stops.",
        sep="\n",
        markup=False,
    )
