"""`viva bench turns`: how soon the tutor answers and falls silent, and how often it takes a pause for the end."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Final, Literal, TypeAlias, get_args

from cli.bench.hesitation import measure_hesitation
from cli.bench.report import Figure, Measured, Report
from cli.bench.turns_in_time import gaps_with_instant_engines, gaps_with_local_engines, interruptions
from cli.memory import settle_memory
from mesh.errors import InvalidFieldError

Part: TypeAlias = Literal["instant", "interruptions", "local", "hesitant"]
#: Measures a part, in its short form or its long one.
Measure: TypeAlias = Callable[[bool], Measured]

PARTS: Final[tuple[Part, ...]] = get_args(Part)
#: Each has a mesh of its own, or needs none: it can be measured alone, and again.
MEASURES: Final[Mapping[Part, Measure]] = {
    "instant": gaps_with_instant_engines,
    "interruptions": interruptions,
    "local": gaps_with_local_engines,
    "hesitant": measure_hesitation,
}


def bench_turns(
    *,
    quick: bool,
    part: Part | None = None,
    kept: Path | None = None,
    measures: Mapping[Part, Measure] = MEASURES,
) -> Report:
    """Measures a part, or all of them one after another.

    What lies in the file `kept` is not measured again, and what was found goes there, part by part.

    Raises:
        VivavoceError: a mesh did not start, or stopped answering; or the file holds something else.
    """
    settle_memory()
    found = _read(kept)
    wanted = (part,) if part else PARTS
    for each in wanted:
        if each not in found:
            found[each] = measures[each](quick)
            _write(kept, found)
    figures = [figure for each in wanted for figure in found[each].figures]
    return Report("turns", sum(found[each].n for each in wanted), figures)


def _read(kept: Path | None) -> dict[str, Measured]:
    if kept is None or not kept.exists():
        return {}
    try:
        parts = json.loads(kept.read_text(encoding="utf-8"))
        return {
            part: Measured(each["n"], [Figure(**figure) for figure in each["figures"]]) for part, each in parts.items()
        }
    except (ValueError, TypeError, AttributeError, KeyError):
        raise InvalidFieldError(f"{kept} was not written by this bench; name another file.", field="keep") from None


def _write(kept: Path | None, found: Mapping[str, Measured]) -> None:
    if kept is not None:
        parts = {part: asdict(measured) for part, measured in found.items()}
        kept.write_text(json.dumps(parts, indent=2) + "\n", encoding="utf-8")
