"""Runs `viva` as people do: in processes of its own, stopped by signals."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cli.bench.server import INSTANT


@contextmanager
def viva(*arguments: str, **variables: str) -> Iterator["subprocess.Popen[str]"]:
    """A running `viva`, with engines that need no models; killed at the end where it still runs."""
    environment = [f"{name}={value}" for name, value in (INSTANT | variables).items()]
    command = ["env", *environment, sys.executable, "-m", "cli.main", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        try:
            yield running
        finally:
            running.kill()


def ready(running: "subprocess.Popen[str]") -> dict[str, Any]:
    """The one line `viva up --json` prints when it is ready."""
    assert running.stdout is not None
    line = running.stdout.readline()
    assert line, running.communicate()[1]
    told = json.loads(line)
    assert isinstance(told, dict)
    return told


def line_of(running: "subprocess.Popen[str]", words: str) -> str:
    """The next line of the error output with `words` in it."""
    assert running.stderr is not None
    for line in running.stderr:
        if words in line:
            return line
    raise AssertionError(f"it ended without saying {words!r}")
