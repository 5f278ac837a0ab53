"""A process of our own beside this one: started and listened to in a thread, ended from anywhere."""

import subprocess
import sys
from contextlib import suppress
from typing import IO, Final

from mesh.workers import NO_SPINNING

#: With one thread each, so that processes and processors match.
_ENVIRONMENT: Final = {**NO_SPINNING, "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}


class Child:
    """A module of ours that runs by itself, with its input and output piped to us."""

    def __init__(self, module: str, *arguments: str) -> None:
        self._command = (sys.executable, "-I", "-m", module, *arguments)
        self._process: subprocess.Popen[bytes] | None = None
        self._killed = False

    @property
    def process_id(self) -> int | None:
        """None where it does not run."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    @property
    def told(self) -> IO[bytes]:
        """Its input."""
        assert self._process is not None, "it was started"
        assert self._process.stdin is not None, "it is piped"
        return self._process.stdin

    @property
    def telling(self) -> IO[bytes]:
        """Its output."""
        assert self._process is not None, "it was started"
        assert self._process.stdout is not None, "it is piped"
        return self._process.stdout

    def start(self, complaints: IO[bytes] | int = subprocess.DEVNULL) -> "subprocess.Popen[bytes]":
        """Starts it; its error output goes to `complaints`.

        Call it in a thread: it blocks for twenty milliseconds and more. One that was killed meanwhile ends at once.
        """
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            env=_ENVIRONMENT,
            # Ctrl-C is for this process, which lets talks finish.
            start_new_session=True,
        )
        if self._killed:
            self._process.kill()
        return self._process

    def kill(self) -> None:
        """Ends it at once; who reads its output in a thread finds the end of it. Does not block."""
        self._killed = True
        if self._process is not None:
            self._process.kill()

    def close(self) -> None:
        """Ends it and gives back what it took. Blocks until it is gone: for as long as the system takes to end it."""
        self.kill()
        if self._process is not None:
            # What was not written yet need not be.
            with suppress(OSError), self._process:
                pass
