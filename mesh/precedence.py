"""Which process goes first where all want the processors: those that carry sound, before those that compute."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

_SESSION: Final = Path("/proc/self/autogroup")


def give_way(niceness: int) -> None:
    """Lets others go first: of what they get where both want all, this process gets a third at 5, a tenth at 10."""
    os.nice(niceness)
    # Where the system shares by sessions, one counts as much as another, however modest those in it are: sched(7).
    # A session that others began is theirs.
    if os.getsid(0) == os.getpid():
        # Some sandboxes forbid it.
        with suppress(OSError):
            _SESSION.write_text(str(niceness))
