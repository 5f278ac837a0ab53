"""One server program: started, looked after until it answers, and ended in the ways that tests and operators need."""

import fcntl
import secrets
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP, SIGTERM, Signals
from typing import IO

import psutil

from cli.stores.tie import Tie
from mesh.errors import UnavailableError
from mesh.settings import environment_with


@dataclass(slots=True)
class Program:
    """A process of a server, whose word is appended to a log; it can be started again after it ended.

    It ends with this process, also where this is killed.
    """

    name: str
    command: Sequence[str | Path]
    log: Path
    #: Whether it answers, asked until it does.
    answers: Callable[[], bool]
    #: Whom it runs as; None: as we do.
    runs_as: str | None = None
    #: What its environment has beside ours.
    variables: Mapping[str, str] = field(default_factory=dict)
    start_s: float = 60.0
    stop_s: float = 15.0
    _process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)
    _tie: Tie | None = field(default=None, init=False)

    def start(self) -> None:
        """Starts it, and returns when it answers. Blocks.

        Raises:
            UnavailableError: it ended, or did not answer in time; the message ends with its last words. Or one that an
                earlier process left behind does not end.
        """
        self.launch()
        self.wait()

    def launch(self) -> None:
        """Starts it, and does not wait, but for one that an earlier process left behind. Blocks that long.

        Raises:
            UnavailableError: that does not end.
        """
        self._forget()
        with self.log.open("ab") as log:
            self._claim(log)
            self._process = subprocess.Popen(
                self.command,
                cwd=self.log.parent,
                env=environment_with(self.variables),
                stdout=log,
                stderr=log,
                user=self.runs_as,
                # Ctrl-C is for whoever started it, who ends it in order.
                start_new_session=True,
            )
        self._tie = Tie(self._process.pid)

    def wait(self) -> None:
        """Returns when it answers. Blocks.

        Raises:
            UnavailableError: as for `start`.
        """
        ends_at = time.monotonic() + self.start_s
        while not self.answers():
            if self.ended() or time.monotonic() > ends_at:
                ended = self._process.poll() if self._process else None
                self.kill()
                how = "in time" if ended is None else f"and ended with {ended}"
                raise UnavailableError(f"{self.name} did not start {how}. {self.last_words()}")
            time.sleep(0.05)

    @property
    def process_id(self) -> int | None:
        """Of the process; None before it started, and after it was ended."""
        return None if self._process is None else self._process.pid

    def ended(self) -> bool:
        """Whether it ended by itself."""
        return self._process is not None and not self._runs()

    def last_words(self) -> str:
        """Where its log is, and how that ends."""
        return f"Its log {self.log} ends with:\n{self.log.read_text(errors='replace')[-2_000:]}"

    def send(self, sign: Signals) -> None:
        """Sends it a signal, where it runs."""
        if self._process is not None and self._runs():
            self._process.send_signal(sign)

    def stop(self, sign: Signals = SIGTERM) -> None:
        """Ends it in order; kills it where that takes longer than `stop_s`. Blocks."""
        if self._process is None:
            return
        self.send(sign)
        try:
            self._process.wait(timeout=self.stop_s)
        except subprocess.TimeoutExpired:
            self.kill()
        self._forget()

    def kill(self) -> None:
        """Ends it at once, as a power cut would. Blocks for a moment."""
        if self._process is not None:
            self._send_to_all(SIGKILL)
            self._process.wait()
            self._forget()

    def pause(self) -> None:
        """Lets it hang: it takes connections, and answers nothing."""
        self._send_to_all(SIGSTOP)

    def resume(self) -> None:
        """Lets it go on."""
        self._send_to_all(SIGCONT)

    def _claim(self, log: IO[bytes]) -> None:
        """Locks the log, for as long as any process writes to it that is started with it."""
        ends_at = time.monotonic() + self.start_s
        while not _locked(log):
            if time.monotonic() > ends_at:
                raise UnavailableError(f"{self.name} of an earlier run still runs, and writes {self.log}; end it.")
            time.sleep(0.05)

    def _runs(self) -> bool:
        if self._process is not None and self._process.poll() is None:
            return True
        self._cut()
        return False

    def _forget(self) -> None:
        self._cut()
        self._process = None

    def _cut(self) -> None:
        if self._tie is not None:
            self._tie.cut()
            self._tie = None

    def _send_to_all(self, sign: Signals) -> None:
        """PostgreSQL has a process for each connection, which would go on without the first."""
        if self._process is None or not self._runs():
            return
        first = psutil.Process(self._process.pid)
        for each in (first, *first.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                each.send_signal(sign)


def _locked(log: IO[bytes]) -> bool:
    try:
        fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def kept_secret(file: Path) -> str:
    """The secret in a file only its owner reads; made where there is none."""
    try:
        return file.read_text()
    except FileNotFoundError:
        made = secrets.token_hex(16)
        file.touch(mode=0o600)
        file.write_text(made)
        return made
