"""A sound process: reads one job, does it within bounds that the system keeps, says how it went, and ends."""

import json
import resource
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Final, assert_never

from mesh.errors import VivavoceError
from mesh.precedence import give_way
from services.media.sound.assemble import assemble
from services.media.sound.convert import Tell, convert
from services.media.sound.jobs import Assemble, Bounds, Convert, Job, Made, read_job

#: Open files: those of a job, and the interpreter's.
_FILES: Final = 64
#: Talking goes first.
_NICENESS: Final = 10
_LEAST_PROGRESS: Final = 0.02


def main() -> None:
    """Answers with lines of JSON: `progress`, then `made`, or `failed`. Ended by the system where it takes too much."""
    job, bounds = read_job(sys.stdin.readline())
    confine(bounds)
    try:
        made = _do(job, bounds, _teller())
    except VivavoceError as error:
        _say(failed={"kind": type(error).__name__, "message": error.message, "field": error.field})
    except MemoryError:
        _say(failed={"kind": "BadAudioError", "message": "The sound takes too much memory to read.", "field": ""})
    else:
        _say(made=[asdict(each) for each in made])


def confine(bounds: Bounds) -> None:
    """From here on the process can take no more memory, processor time and disk than the bounds."""
    give_way(_NICENESS)
    for kind, most in (
        (resource.RLIMIT_AS, _address_space() + bounds.memory_bytes),
        (resource.RLIMIT_CPU, bounds.cpu_s),
        (resource.RLIMIT_FSIZE, bounds.output_bytes),
        (resource.RLIMIT_NOFILE, _FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))


def _do(job: Job, bounds: Bounds, tell: Tell) -> list[Made]:
    match job:
        case Convert():
            return convert(job, bounds, tell)
        case Assemble():
            return assemble(job, bounds, tell)
        case _:
            assert_never(job)


def _address_space() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    return pages * resource.getpagesize()


def _teller() -> Tell:
    told = 0.0

    def tell(share: float) -> None:
        nonlocal told
        if share >= told + _LEAST_PROGRESS:
            told = share
            _say(progress=round(share, 3))

    return tell


def _say(**line: object) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
