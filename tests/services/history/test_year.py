"""A year opens by reading a row for each four weeks, which the talk after them has packed."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from math import log
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from sqlalchemy import Engine, event, func, select

from mesh.clock import SystemClock
from mesh.database import Database
from mesh.migrations import migrate
from services.history.app import MIGRATIONS
from services.history.domain.columns import Tally, columns_of, joined
from services.history.domain.happenings import Began, Content, Happening, Heard, Said
from services.history.domain.measures import QUARTER_US, Counts, Measures
from services.history.domain.progress import Asked, view
from services.history.packing import packed, unpacked
from services.history.seasons import counted_columns, is_to_pack
from services.history.store import VERSION_TABLE, MemoryStore
from services.history.tables import SeasonRow

DAY_US = 96 * QUARTER_US
YEAR_US = 364 * DAY_US


def talk(number: int, begin_us: int) -> list[Happening]:
    """A conversation of two turns and a reply."""
    contents: list[Content] = [Began("cafe"), Said("A large tea", typed=True), Heard("Of course."), Said("Thank you")]
    return [
        Happening(f"cnv_{number:04}", sequence, "usr_1", begin_us + sequence * 1_000_000, content, b"")
        for sequence, content in enumerate(contents, 1)
    ]


class Work:
    """Statements that were carried out, and what SQLite did for them: it counts each of its own instructions."""

    def __init__(self) -> None:
        self.statements: list[str] = []
        self.steps = 0

    def step(self) -> int:
        self.steps += 1
        return 0


@contextmanager
def watched() -> Iterator[Work]:
    """Watches every database that is opened in the block."""
    work = Work()

    def connected(connection: sqlite3.Connection, _: object) -> None:
        connection.set_progress_handler(work.step, 1)

    def executed(_: object, __: object, statement: str, *rest: object) -> None:
        work.statements.append(statement)

    event.listen(Engine, "connect", connected)
    event.listen(Engine, "before_cursor_execute", executed)
    try:
        yield work
    finally:
        event.remove(Engine, "connect", connected)
        event.remove(Engine, "before_cursor_execute", executed)


async def test_a_year_takes_the_same_statements_however_much_was_said_and_grows_by_no_more_than_n_log_n(
    tmp_path: Path,
) -> None:
    sizes = (13, 26, 52, 104)
    url = f"sqlite:///{tmp_path}/history.db"
    migrate(url, MIGRATIONS, VERSION_TABLE)
    views = {}
    async with Database(url, 1) as database:
        store = MemoryStore(database, SystemClock(), lambda *_: 1)
        for number in range(sizes[-1]):
            now_us = number * YEAR_US // sizes[-1]
            await store.take_in([talk(number, now_us)])
            if number + 1 in sizes:
                views[number + 1] = await work_of_a_view(url, number + 1, now_us)
    first = views[sizes[0]]
    assert all(opened.statements == first.statements for opened in views.values())
    for size, opened in views.items():
        assert opened.steps <= first.steps * (size * log(size) / (sizes[0] * log(sizes[0])))


async def work_of_a_view(url: str, conversations: int, now_us: int) -> Work:
    """What it takes to read all of so many conversations."""
    with watched() as work:
        async with Database(url, 1) as database:
            to_pack = await database.read(lambda session: is_to_pack(session, "usr_1", now_us))
            columns, _ = await database.read(lambda session: counted_columns(session, "usr_1"))
    assert not to_pack, "something was left to pack"
    assert len(columns) == conversations
    return work


async def test_each_season_is_packed_by_the_first_talk_after_it(database_url: str) -> None:
    migrate(database_url, MIGRATIONS, VERSION_TABLE)
    packed_then: list[int] = []
    async with Database(database_url, 2) as database:
        store = MemoryStore(database, SystemClock(), lambda *_: 1)
        for number, day in enumerate((0, 10, 27, 30, 60, 61)):
            await store.take_in([talk(number, day * DAY_US)])
            seasons = await database.read(lambda session: session.scalar(select(func.count()).select_from(SeasonRow)))
            packed_then.append(seasons or 0)
    assert packed_then == [0, 0, 0, 1, 2, 2]


async def test_who_asks_by_day_in_the_same_time_zone_again_reads_days_and_not_what_they_are_made_of(
    database_url: str,
) -> None:
    migrate(database_url, MIGRATIONS, VERSION_TABLE)
    zone = ZoneInfo("Asia/Kathmandu")
    async with Database(database_url, 2) as database:
        store = MemoryStore(database, SystemClock(), lambda *_: 1)
        await store.take_in([talk(0, 0)])
        await store.counted("usr_1", zone)
        await store.take_in([talk(number, number * DAY_US // 8) for number in range(1, 8 * 28)])
        await store.take_in([talk(8 * 28, 40 * DAY_US)])
        by_day, levels = await store.counted("usr_1", zone)
        elsewhere, _ = await store.counted("usr_1", ZoneInfo("Europe/Berlin"))
        quarters, _ = await store.counted("usr_1")
    assert (
        len(by_day) == 28 + 1 + 1
    )  # At midnight of UTC, which begins and ends a season, it is a quarter to six there.
    assert len(elsewhere) == len(quarters) == 8 * 28 + 1
    asked = Asked(zone)
    assert asked.days_are_enough
    assert view(by_day, levels, asked, date(1970, 2, 1)) == view(quarters, levels, asked, date(1970, 2, 1))


@pytest.mark.parametrize("number", [0, 255, 256, 2**31, 2**40, -1])
def test_a_season_is_read_as_it_was_written_however_large_its_numbers_are(number: int) -> None:
    measures = Measures(Counts(turns=1, cost_micros=number), 0b101, {"wait 3": 1, "cost x USD": number})
    columns = columns_of([Tally(0, "cnv_1", "cafe", measures), Tally(QUARTER_US, "cnv_2", "", Measures())])
    again = joined([unpacked(packed(columns))])
    assert again.conversations == columns.conversations
    assert (again.scenarios, again.names) == (columns.scenarios, columns.names)
    for name in ("start_us", "conversation", "counts", "word_count", "word", "named_count", "name", "named"):
        assert np.array_equal(getattr(again, name), getattr(columns, name))
