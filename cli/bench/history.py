"""`viva bench history`: how fast what was said is kept, how soon it is there, and how fast a year of it opens."""

import math
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal, TypeAlias, assert_never

import psutil

from cli.bench.history_learner import Teller
from cli.bench.history_relay import telling
from cli.bench.history_server import HistoryProcess, history_process
from cli.bench.history_talk import TURNS
from cli.bench.report import Figure, Report, percentile, percentiles, single
from cli.memory import settle_memory
from mesh.server import run

#: What can be measured by itself; each takes less than three minutes.
Part: TypeAlias = Literal["ingest", "delay", "year"]

PARTS: Final[tuple[Part, ...]] = ("ingest", "delay", "year")
#: Instead of a URL: one that is started for the bench.
OWN_POSTGRESQL: Final = "postgresql"
_GOALS: Final = {"SQLite": 2000.0, "PostgreSQL": 500.0}
#: Learners whose talk comes in at once.
_LEARNERS: Final = 20
#: Turns a second of people who talk: ten times what fifty conversations bring.
_LIVE: Final = 200.0
#: The year is opened after each of these parts of it.
_SIZES: Final = (1 / 8, 1 / 4, 1 / 2, 1)


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured."""

    ingested: int
    live_turns: int
    outage_s: float
    year: int
    views: int


_FULL: Final = Plan(ingested=1000, live_turns=2000, outage_s=5.0, year=5000, views=30)
_QUICK: Final = Plan(ingested=100, live_turns=200, outage_s=1.0, year=160, views=10)


def bench_history(*, quick: bool, part: Part | None = None, database_url: str = "") -> Report:
    """Measures one part or all, on SQLite or on the empty PostgreSQL database of the URL.

    Raises:
        PreconditionError: PostgreSQL is to be started for it, and is not installed.
    """
    plan = _QUICK if quick else _FULL
    parts = (part,) if part else PARTS
    kind = "PostgreSQL" if database_url else "SQLite"
    figures: list[Figure] = []
    for each in parts:
        with (
            tempfile.TemporaryDirectory() as folder,
            _database(database_url, each) as url,
            history_process(Path(folder), url) as history,
        ):
            figures += run(_measured(each, history, plan, _GOALS[kind], url or f"sqlite:///{folder}/conversation.db"))
    turns = {"ingest": plan.ingested * TURNS, "delay": plan.live_turns, "year": plan.year * TURNS}
    named = [replace(each, name=f"{kind}: {each.name}") for each in figures]
    return Report("history", sum(turns[each] for each in parts), named)


@contextmanager
def _database(url: str, part: Part) -> Iterator[str]:
    """The URL of the database to measure on; its own for each part where it is started for this."""
    if url != OWN_POSTGRESQL:
        yield url
        return
    from cli.stores.postgres import FAST, postgres

    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)  # Root's server runs as somebody else.
        server = postgres(Path(folder) / "postgres")
        server.program.start()
        try:
            yield server.database(part)
        finally:
            server.program.stop(FAST)


async def _measured(part: Part, history: HistoryProcess, plan: Plan, goal: float, told_url: str) -> list[Figure]:
    match part:
        case "ingest":
            return await _ingest(history, plan.ingested, goal)
        case "delay":
            return await _delay(history, plan, told_url)
        case "year":
            return await _year(history, plan)
        case other:
            assert_never(other)


async def _ingest(history: HistoryProcess, conversations: int, goal: float) -> list[Figure]:
    turns, busy = conversations * TURNS, psutil.Process(history.pid)
    async with Teller.opened(history) as teller:
        before = _processor_s(busy)
        taken_s = await teller.tell(0, conversations, learners=_LEARNERS)
    return [
        single("turns committed, each with its reply", "/s", turns / taken_s, goal, at_least=True),
        single("the same by the processor time of the service", "/s", turns / (_processor_s(busy) - before)),
    ]


async def _delay(history: HistoryProcess, plan: Plan, told_url: str) -> list[Figure]:
    async with telling(history, told_url) as people:
        await people.fresh(round(_LIVE), _LIVE)  # The first of all takes longer than any later one.
        settle_memory()  # As every process that serves does.
        told = await people.fresh(plan.live_turns, _LIVE)
        drained_s = await people.drained_s(plan.outage_s, _LIVE)
    outage = f"all there once history was stopped for {plan.outage_s:g} s, talk going on"
    return [
        percentiles("committed, 200 turns a second", "ms", told.commits_ms, {"p99": 50}),
        percentiles("in history after its commit", "ms", told.waits_ms, {"p99": 1000}),
        single(outage, "s", drained_s, 2 * plan.outage_s),
    ]


async def _year(history: HistoryProcess, plan: Plan) -> list[Figure]:
    figures: list[Figure] = []
    sizes = [round(plan.year * size) for size in _SIZES]
    medians: list[float] = []
    told, busy = 0, psutil.Process(history.pid)
    async with Teller.opened(history) as teller:
        for size in sizes:
            await teller.tell(told, size, learners=1)
            told = size
            (first,) = await teller.views(1)
            before = _processor_s(busy)
            views = await teller.views(plan.views)
            busy_ms = (_processor_s(busy) - before) * 1000 / plan.views
            medians.append(percentile(views, 50))
            goal = {"p95": 100.0} if size == plan.year else {}
            figures.append(percentiles(f"progress view of {size} conversations", "ms", views, goal))
            figures.append(single("the same by processor time", "ms", busy_ms))
    figures.append(single("the first view of all", "ms", first, 100))
    figures.append(single("growth of the view over four sizes, times n log n", "", _growth(sizes, medians), 1))
    return figures


def _growth(sizes: Sequence[int], medians: Sequence[float]) -> float:
    """How many times as fast as n log n it grows, from the first size to whichever is worst."""
    turns = [size * TURNS for size in sizes]
    return max(
        (median / medians[0]) / (number * math.log(number) / (turns[0] * math.log(turns[0])))
        for number, median in zip(turns[1:], medians[1:], strict=True)
    )


def _processor_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
