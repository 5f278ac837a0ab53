"""Real stores for tests, each in a folder that is thrown away with it."""

import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from cli.stores.postgres import Postgres, postgres
from cli.stores.program import Program
from cli.stores.seaweedfs import Identity, SeaweedFs, seaweedfs
from cli.stores.valkey import Valkey, valkey

OURS: Final = Identity("ours", "ours-key", "ours-secret-0123456789")
THEIRS: Final = Identity("theirs", "theirs-key", "theirs-secret-0123456789")


@contextmanager
def own_postgres() -> Iterator[Postgres]:
    """A PostgreSQL for the length of the block."""
    with _folder("postgres") as folder:
        server = postgres(folder, lasting=False)
        # At once, without a checkpoint.
        with _running(server.program, signal.SIGQUIT):
            yield server


@contextmanager
def own_valkey() -> Iterator[Valkey]:
    """A Valkey for the length of the block."""
    with _folder("valkey") as folder:
        server = valkey(folder)
        with _running(server.program, signal.SIGKILL):
            yield server


@contextmanager
def own_seaweedfs() -> Iterator[SeaweedFs]:
    """A SeaweedFS with two buckets for the length of the block."""
    with _folder("seaweedfs") as folder:
        server = seaweedfs(folder, (OURS, THEIRS))
        with _running(server.program, signal.SIGKILL):
            yield server


@contextmanager
def _running(program: Program, last: signal.Signals) -> Iterator[None]:
    program.start()
    try:
        yield
    finally:
        program.resume()
        program.stop(last)


@contextmanager
def _folder(name: str) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix=f"vivavoce-{name}-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
