"""Reads hostile files one after another in a process with bounds: `python -m … FOLDER PER_KIND`; tells the outcomes."""

import json
import sys
from pathlib import Path

from mesh.errors import BadAudioError
from services.media.sound.child import confine
from services.media.sound.convert import convert
from services.media.sound.jobs import Bounds, Convert, Part
from tests.services.media.sound.samples import hostile

BOUNDS = Bounds(60, 8, memory_bytes=512 * 2**20, cpu_s=120, output_bytes=64 * 2**20, wall_s=120.0)


def main(folder: Path, per_kind: int) -> None:
    """Converts them all; anything but the error that is meant for it ends the process."""
    files = list(hostile(per_kind))
    confine(BOUNDS)
    said = {}
    for name, content in files:
        (folder / "source").write_bytes(content)
        try:
            convert(Convert((Part(str(folder / "source")),), str(folder / "target"), "wav"), BOUNDS, lambda _: None)
            said[name] = "read"
        except BadAudioError as error:
            said[name] = error.message
    sys.stdout.write(json.dumps({"said": said, "most_memory": _most_memory()}))


def _most_memory() -> int:
    """In bytes. Not by `getrusage`, whose greatest size is inherited from the process that started this one."""
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
