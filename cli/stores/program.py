"""One server program: started, looked after until it answers, and ended in the ways that tests and operators need."""

import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mesh.errors import UnavailableError


@dataclass(slots=True)
class Program:
    """A process of a server, whose word is appended to a log; it can be started again after it ended."""

    name: str
    command: Sequence[str | Path]
    log: Path
    #: Whether it answers, asked until it does.
    answers: Callable[[], bool]
    #: Whom it runs as; None: as we do.
    runs_as: str | None = None
    start_s: float = 60.0
    _process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)

    def start(self) -> None:
        """Starts it, and returns when it answers. Blocks.

        Raises:
            UnavailableError: it ended, or did not answer in time; the message ends with its last words.
        """
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command, cwd=self.log.parent, stdout=log, stderr=log, user=self.runs_as, start_new_session=True
            )
        ends_at = time.monotonic() + self.start_s
        while not self.answers():
            if self._process.poll() is not None or time.monotonic() > ends_at:
                words = self.log.read_text(errors="replace")[-2_000:]
                self.kill()
                raise UnavailableError(f"{self.name} did not start; its log {self.log} ends with:\n{words}")
            time.sleep(0.05)

    def stop(self, sign: signal.Signals = signal.SIGTERM, *, within_s: float = 10.0) -> None:
        """Ends it in order; kills it where that takes longer. Blocks."""
        if self._process is None:
            return
        self._process.send_signal(sign)
        try:
            self._process.wait(timeout=within_s)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def kill(self) -> None:
        """Ends it at once, as a power cut would. Blocks for a moment."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def pause(self) -> None:
        """Lets it hang: it takes connections, and answers nothing."""
        self._send(signal.SIGSTOP)

    def resume(self) -> None:
        """Lets it go on."""
        self._send(signal.SIGCONT)

    def _send(self, sign: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(sign)


def free_ports(count: int) -> list[int]:
    """So many ports of this machine that are free now, all different."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def kept_secret(file: Path) -> str:
    """The secret in a file only its owner reads; made where there is none."""
    try:
        return file.read_text()
    except FileNotFoundError:
        made = secrets.token_hex(16)
        file.touch(mode=0o600)
        file.write_text(made)
        return made
