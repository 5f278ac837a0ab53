"""The database runner, on SQLite and on PostgreSQL."""

import asyncio
import os
import socket
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from socket import TCP_KEEPCNT, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_USER_TIMEOUT
from typing import Any

import pytest
from sqlalchemy import ForeignKey, String, create_engine, event, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from mesh.database import Database, metadata
from mesh.errors import ConflictError, OverloadedError, UnavailableError
from mesh.testing import until


class Base(DeclarativeBase):
    metadata = metadata()


class Word(Base):
    __tablename__ = "words"
    text: Mapped[str] = mapped_column(String(40), primary_key=True)


class Meaning(Base):
    __tablename__ = "meanings"
    id: Mapped[int] = mapped_column(primary_key=True)
    word: Mapped[str] = mapped_column(ForeignKey("words.text"))


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    async with Database(database_url) as database:
        await database.run(lambda session: Base.metadata.create_all(session.connection()))
        yield database


def add(word: str) -> "_Add":
    return _Add(word)


class _Add:
    def __init__(self, word: str) -> None:
        self._word = word

    def __call__(self, session: Session) -> str:
        session.add(Word(text=self._word))
        return self._word


def words(session: Session) -> list[str]:
    return list(session.scalars(select(Word.text).order_by(Word.text)))


async def test_a_postgresql_whose_machine_is_gone_is_noticed_in_twenty_seconds(postgres_url: str) -> None:
    def descriptor(session: Session) -> int:
        connection: Any = session.connection().connection.dbapi_connection
        return os.dup(connection.fileno())

    async with Database(postgres_url) as database:
        with socket.socket(fileno=await database.read(descriptor)) as wire:
            asks = [wire.getsockopt(socket.IPPROTO_TCP, each) for each in (TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT)]
            assert asks[0] + asks[1] * asks[2] == 20
            assert wire.getsockopt(socket.IPPROTO_TCP, TCP_USER_TIMEOUT) == 20_000


async def test_a_unit_is_stored_and_its_value_returned(db: Database) -> None:
    assert await db.run(add("one")) == "one"
    assert await db.read(words) == ["one"]


async def test_a_unit_that_raises_stores_nothing_and_raises_the_same(db: Database) -> None:
    def unit(session: Session) -> None:
        session.add(Word(text="one"))
        session.flush()
        raise ConflictError("It changed; read it again.")

    with pytest.raises(ConflictError):
        await db.run(unit)
    assert await db.read(words) == []


async def test_units_do_not_run_on_the_event_loop(db: Database) -> None:
    here = threading.get_ident()
    assert await db.read(lambda _: threading.get_ident()) != here
    assert await db.commit(lambda _: threading.get_ident()) != here


async def test_commits_made_together_are_all_stored_in_order(db: Database) -> None:
    order: list[int] = []

    def unit(number: int) -> str:
        return f"{number:04}"

    def carry_out(number: int) -> "_Ordered":
        return _Ordered(order, number, unit(number))

    stored = await asyncio.gather(*(db.commit(carry_out(number)) for number in range(700)))
    assert stored == [unit(number) for number in range(700)]
    assert order == list(range(700))
    assert await db.read(words) == stored


class _Ordered(_Add):
    def __init__(self, order: list[int], number: int, word: str) -> None:
        super().__init__(word)
        self._order = order
        self._number = number

    def __call__(self, session: Session) -> str:
        self._order.append(self._number)
        return super().__call__(session)


async def test_a_commit_that_fails_fails_alone(db: Database) -> None:
    await db.commit(add("taken"))
    outcomes = await asyncio.gather(
        db.commit(add("before")), db.commit(add("taken")), db.commit(add("after")), return_exceptions=True
    )
    assert outcomes[0] == "before"
    assert isinstance(outcomes[1], IntegrityError)
    assert outcomes[2] == "after"
    assert await db.read(words) == ["after", "before", "taken"]


async def test_foreign_keys_are_checked(db: Database) -> None:
    def unit(session: Session) -> None:
        session.add(Meaning(word="unknown"))

    with pytest.raises(IntegrityError):
        await db.run(unit)


async def test_a_wrong_statement_is_not_taken_for_a_database_that_is_away(db: Database) -> None:
    def unit(session: Session) -> None:
        session.execute(text("INSERT INTO nowhere VALUES (1)"))

    with pytest.raises(DBAPIError, match="nowhere"):
        await db.run(unit)
    outcomes = await asyncio.gather(db.commit(unit), db.commit(add("one")), return_exceptions=True)
    assert isinstance(outcomes[0], DBAPIError)
    assert outcomes[1] == "one"


async def test_all_that_a_reader_reads_is_of_one_moment(db: Database) -> None:
    begun, written = threading.Event(), threading.Event()

    def read_twice(session: Session) -> tuple[list[str], list[str]]:
        before = words(session)
        begun.set()
        written.wait(20)
        return before, words(session)

    reading = asyncio.create_task(db.read(read_twice))
    await asyncio.to_thread(begun.wait, 20)
    await db.run(add("one"))
    written.set()
    assert await reading == ([], [])


async def test_a_reader_can_not_write_on_postgresql(db: Database, database_url: str) -> None:
    if database_url.startswith("sqlite"):
        pytest.skip("SQLite has no read-only transactions")
    with pytest.raises(Exception, match="read-only"):
        await db.read(add("one"))


async def test_a_full_queue_refuses_and_does_nothing(tmp_path: Path) -> None:
    async with Database(f"sqlite:///{tmp_path}/words.db", queue_bound=2) as db:
        await db.run(lambda session: Base.metadata.create_all(session.connection()))
        go, busy = threading.Event(), threading.Event()

        def blocking(_: Session) -> None:
            busy.set()
            go.wait(5)

        first = asyncio.create_task(db.commit(blocking))
        await until(busy.is_set)
        queued = [asyncio.create_task(db.commit(add(word))) for word in ("one", "two")]
        await asyncio.sleep(0)
        with pytest.raises(OverloadedError):
            await db.commit(add("three"))
        go.set()
        await asyncio.gather(first, *queued)
        assert await db.read(words) == ["one", "two"]


async def test_too_many_calls_at_once_are_refused(tmp_path: Path) -> None:
    async with Database(f"sqlite:///{tmp_path}/words.db", threads=1) as db:
        go = threading.Event()
        calls = [asyncio.create_task(db.read(lambda _: go.wait(5))) for _ in range(8)]
        await asyncio.sleep(0)
        with pytest.raises(OverloadedError):
            await db.read(words)
        go.set()
        await asyncio.gather(*calls)


async def test_a_cancelled_commit_is_carried_out_all_the_same(db: Database) -> None:
    task = asyncio.create_task(db.commit(add("one")))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await db.commit(add("two"))
    assert await db.read(words) == ["one", "two"]


async def test_closing_carries_out_what_is_queued(database_url: str) -> None:
    async with Database(database_url) as db:
        await db.run(lambda session: Base.metadata.create_all(session.connection()))
        tasks = [asyncio.create_task(db.commit(add(f"{number:03}"))) for number in range(50)]
        await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    async with Database(database_url) as db:
        assert len(await db.read(words)) == 50


async def test_a_database_that_is_away_is_unavailable() -> None:
    async with Database("postgresql+psycopg2://nobody@127.0.0.1:1/none") as db:
        for call in (db.run, db.read, db.commit):
            with pytest.raises(UnavailableError):
                await call(words)


async def test_who_asks_does_not_notice_that_the_connection_was_lost_before(postgres_url: str) -> None:
    async with Database(postgres_url) as db, Database(postgres_url) as other:
        await db.run(lambda session: Base.metadata.create_all(session.connection()))
        for call in (db.run, db.read, db.commit):
            await other.read(end_all_but_own)
            assert await call(words) == []


async def test_a_unit_whose_connection_is_lost_begins_again(postgres_url: str) -> None:
    ends = iter((end_all_but_own, words))

    def unit(session: Session) -> None:
        add("one")(session)
        session.flush()
        next(ends)(outside)
        add("two")(session)

    async with Database(postgres_url) as db:
        await db.run(lambda session: Base.metadata.create_all(session.connection()))
        with Session(create_engine(postgres_url)) as outside:
            await db.commit(unit)
        assert await db.read(words) == ["one", "two"]


async def test_a_commit_whose_answer_is_lost_is_not_made_twice(postgres_url: str) -> None:
    attempts: list[int] = []

    def unit(session: Session) -> None:
        attempts.append(len(attempts))
        event.listen(session.get_bind(), "commit", lambda connection: end_all_but_own(outside))
        session.execute(text("SELECT 1"))

    async with Database(postgres_url) as db:
        with Session(create_engine(postgres_url)) as outside, pytest.raises(UnavailableError):
            await db.run(unit)
    assert attempts == [0]


def end_all_but_own(session: Session) -> None:
    own = "pid <> pg_backend_pid() AND datname = current_database() AND backend_type = 'client backend'"
    session.execute(text(f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE {own}"))


async def test_writers_in_several_threads_wait_for_each_other_instead_of_failing(db: Database) -> None:
    def unit(number: int) -> "_Add":
        return _ReadThenAdd(f"{number:03}")

    await asyncio.gather(*(db.run(unit(number)) for number in range(40)))
    assert len(await db.read(words)) == 40


class _ReadThenAdd(_Add):
    def __call__(self, session: Session) -> str:
        words(session)
        return super().__call__(session)


async def test_sqlite_survives_power_loss_by_its_settings(tmp_path: Path) -> None:
    async with Database(f"sqlite:///{tmp_path}/words.db") as db:
        pragmas = await db.read(
            lambda session: [
                session.execute(text(f"PRAGMA {name}")).scalar()
                for name in ("journal_mode", "synchronous", "foreign_keys")
            ]
        )
    assert pragmas == ["wal", 2, 1]
