"""`viva bench`: runs one bench by name and prints what it found."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal, TypeAlias, TypeVar, assert_never

from cli.bench.report import Report
from cli.output import print_json
from mesh.errors import InvalidFieldError

Part = TypeVar("Part", bound=str)

Name: TypeAlias = Literal[
    "accounts", "engine", "feedback", "history", "latency", "load", "media", "mesh", "providers", "realtime", "turns"
]

_WITH_PARTS: Final = ("history", "load", "turns")


def bench(
    name: Name,
    *,
    as_json: bool,
    quick: bool,
    part: str | None = None,
    kept: Path | None = None,
    database_url: str = "",
) -> None:
    """Measures, and prints a table or JSON.

    Raises:
        InvalidFieldError: this bench has no such part.
        VivavoceError: the mesh did not start, or stopped answering.
    """
    if part is not None and name not in _WITH_PARTS:
        raise InvalidFieldError(f"The bench {name} has no parts; {', '.join(_WITH_PARTS)} have some.", field="part")
    report = _measure(name, quick=quick, part=part, kept=kept, database_url=database_url)
    if as_json:
        print_json(report.as_json())
    else:
        report.show()


def _measure(name: Name, *, quick: bool, part: str | None, kept: Path | None, database_url: str) -> Report:
    match name:
        case "accounts":
            from cli.bench.accounts import bench_accounts

            return bench_accounts(quick=quick)
        case "engine":
            from cli.bench.engine import bench_engine

            return bench_engine(quick=quick)
        case "feedback":
            from cli.bench.feedback import bench_feedback

            return bench_feedback(quick=quick)
        case "history":
            from cli.bench import history

            chosen = _part(part, history.PARTS)
            return history.bench_history(quick=quick, part=chosen, database_url=database_url)
        case "latency":
            from cli.bench.latency import bench_latency

            return bench_latency(quick=quick)
        case "load":
            from cli.bench import load

            return load.bench_load(quick=quick, part=_part(part, load.PARTS))
        case "media":
            from cli.bench.media import bench_media

            return bench_media(quick=quick)
        case "providers":
            from cli.bench.providers import bench_providers

            return bench_providers(quick=quick)
        case "realtime":
            from cli.bench.realtime import bench_realtime

            return bench_realtime(quick=quick)
        case "mesh":
            from cli.bench.mesh import bench_mesh

            return bench_mesh(quick=quick)
        case "turns":
            from cli.bench import turns

            return turns.bench_turns(quick=quick, part=_part(part, turns.PARTS), kept=kept)
        case other:
            assert_never(other)


def _part(wanted: str | None, parts: Sequence[Part]) -> Part | None:
    if wanted is None:
        return None
    for part in parts:
        if part == wanted:
            return part
    raise InvalidFieldError(f"This bench has no part {wanted!r}; choose one of {', '.join(parts)}.", field="part")
