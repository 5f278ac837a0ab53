"""Runs a throw-away PostgreSQL for tests, from whichever programs are installed."""

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def postgres_url(folder: Path) -> Iterator[str]:
    """A fresh server on a free port of 127.0.0.1 while the block lasts; skips the test where there is none."""
    programs = _programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed")
    user = _owner(folder)
    data = folder / "data"
    _run(user, programs / "initdb", "-D", data, "-U", "viva", "--auth=trust", "--no-sync", "-E", "UTF8")
    port = _free_port()
    with subprocess.Popen(
        [programs / "postgres", "-D", data, "-p", str(port), "-h", "127.0.0.1", "-k", "", "-F"],
        user=user,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        try:
            _await_port(port)
            yield f"postgresql+psycopg2://viva@127.0.0.1:{port}/postgres"
        finally:
            server.terminate()


def _programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


def _owner(folder: Path) -> int | None:
    """PostgreSQL refuses to run as root: then as `postgres`, who must reach the folder."""
    if os.getuid() != 0:
        return None
    try:
        user = pwd.getpwnam("postgres").pw_uid
    except KeyError:
        pytest.skip("PostgreSQL does not run as root, and there is no user postgres")
    os.chown(folder, user, -1)
    for parent in (folder.parent, folder.parent.parent):
        parent.chmod(0o755)
    return user


def _run(user: int | None, *command: object) -> None:
    subprocess.run([str(part) for part in command], user=user, check=True, capture_output=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _await_port(port: int, within_s: float = 30.0) -> None:
    give_up = time.monotonic() + within_s
    while time.monotonic() < give_up:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError("PostgreSQL did not start.")
