"""Ties a program to the process that started it, so that it ends with that, also where that is killed."""

import subprocess
from contextlib import suppress
from typing import Final

#: Reads until nobody holds the other end of its input; then asks the program to end, and kills its group in the end.
_WATCH: Final = """
read -r _
kill -s CONT "$1"
kill -s INT "$1"
for _ in 1 2 3 4 5 6 7 8 9 10; do
    kill -s 0 "$1" || exit
    sleep 1
done
kill -s KILL "-$1"
"""


class Tie:
    """A shell that waits beside a program which leads a session of its own."""

    def __init__(self, process_id: int) -> None:
        self._watch = subprocess.Popen(
            ["sh", "-c", _WATCH, "sh", str(process_id)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # What is meant for whoever started the program must not end this before them.
            start_new_session=True,
        )

    def cut(self) -> None:
        """The program has ended: what has its number from now on is left alone."""
        with suppress(OSError), self._watch:
            self._watch.kill()
