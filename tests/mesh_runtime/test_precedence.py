"""What processes that compute leave to those that carry sound."""

import os
import subprocess
import sys
from pathlib import Path

_CONFINED = """
import os
from pathlib import Path
from services.media.sound.child import confine
from services.media.sound.jobs import Bounds
confine(Bounds(60, 8, memory_bytes=2**30, cpu_s=60, output_bytes=2**20, wall_s=60.0))
session = Path("/proc/self/autogroup")
print(os.nice(0), session.read_text().split()[-1] if session.exists() else "10")
"""


def test_a_sound_process_gives_way_also_where_the_system_shares_by_sessions() -> None:
    child = subprocess.run(  # As services start it: in a session of its own.
        [sys.executable, "-c", _CONFINED],
        cwd=Path(__file__).parents[2],
        start_new_session=True,
        capture_output=True,
        check=True,
        text=True,
    )
    nice, share = map(int, child.stdout.split())
    assert nice == min(19, os.nice(0) + 10)
    assert share == 10


def test_a_process_in_a_session_of_others_leaves_that_as_it_is() -> None:
    session = Path("/proc/self/autogroup")
    before = session.read_text() if session.exists() else ""
    nice = subprocess.run(
        [sys.executable, "-c", "import os; from mesh.precedence import give_way; give_way(5); print(os.nice(0))"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        check=True,
        text=True,
    )
    assert int(nice.stdout) == min(19, os.nice(0) + 5)
    assert before == (session.read_text() if session.exists() else "")
