"""Runs SQLAlchemy work off the event loop, and commits many small writes as one."""

import asyncio
import contextlib
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from sqlalchemy import URL, Connection, Engine, MetaData, create_engine, event, make_url, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session

from mesh.errors import InvalidFieldError, OverloadedError, UnavailableError, VivavoceError

T = TypeVar("T")

_ANYTHING: Final = text("SELECT 1")
_BATCH: Final = 256
#: The writer waits so long for company before it goes to the disk. A turn's reply gets out meanwhile, and what the
#: writer does then takes no time from it.
_GATHER_S: Final = 0.005
_BUSY_TIMEOUT_MS: Final = 10_000
_READ_ONLY: Final = "vivavoce_read_only"
#: Serialisation failure and deadlock of PostgreSQL: the same transaction, sent again, succeeds.
_REPEATABLE_STATES: Final = frozenset({"40001", "40P01"})
_ATTEMPTS: Final = 3
_SQLITE_AWAY: Final = frozenset(
    {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN}
)
_DRIVER: Final = "postgresql+psycopg2"
_POSTGRESQL: Final = {
    "connect_timeout": 5,
    "options": "-c statement_timeout=5000 -c idle_in_transaction_session_timeout=10000",
    # A machine that is gone without a goodbye is noticed after twenty seconds, not after the system's two hours.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "tcp_user_timeout": 20_000,
}
_NAMES: Final = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


def metadata() -> MetaData:
    """Metadata whose constraints have names, as migrations need; for `class Base(DeclarativeBase)` of a service."""
    return MetaData(naming_convention=_NAMES)


class Database:
    """One database of a service: `sqlite:///path` or `postgresql+psycopg2://…`. Use as `async with`.

    A unit is a plain function of a Session. It runs in a thread, begins and ends its transaction with the call, and
    must return plain values, not rows that load more later. It may be run more than once: where it loses against
    another, or its connection, it begins again. Cancelling the call does not undo it: a unit that has begun is carried
    out.
    """

    def __init__(self, url: str, threads: int = 8, *, queue_bound: int = 4096) -> None:
        self._engine = open_engine(url, threads)
        self._reading = _for_reading(self._engine)
        # A pool of its own: the loop's default pool is shared with everyone, and starves.
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="database")
        self._free = threads * 8
        self._writer = _GroupCommit(self._engine, queue_bound)

    async def __aenter__(self) -> Self:
        """Starts the writer."""
        self._writer.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Carries out what is queued, and closes the connections."""
        await asyncio.to_thread(self._close)

    async def run(self, unit: Callable[[Session], T]) -> T:
        """Runs `unit` as one transaction of its own; what it raises rolls it back.

        Raises:
            OverloadedError: eight calls a thread wait already.
            UnavailableError: the database is locked or away; try again.
        """
        return await self._offload(self._engine, unit)

    async def read(self, unit: Callable[[Session], T]) -> T:
        """Like `run`, for a unit that only reads: it waits for no writer, and all it reads is of one moment."""
        return await self._offload(self._reading, unit)

    async def answers(self) -> None:
        """Returns once the database has answered something.

        Raises:
            VivavoceError: as for `read`.
        """
        await self.read(lambda session: session.execute(_ANYTHING))

    async def commit(self, unit: Callable[[Session], T]) -> T:
        """Runs `unit` together with others in one transaction, and returns once that is on disk.

        Up to 256 units share a commit, in the order of the calls. One that raises fails alone: the others are run again
        without its work.

        Raises:
            OverloadedError: the queue is full; nothing was done.
            UnavailableError: the database is locked or away; none of the units is stored.
        """
        return await self._writer.commit(unit)

    async def _offload(self, engine: Engine, unit: Callable[[Session], T]) -> T:
        if self._free <= 0:
            raise OverloadedError("The database has too much to do; try again in a moment.")
        self._free -= 1
        work = asyncio.get_running_loop().run_in_executor(self._threads, _repeated, partial(_transaction, engine, unit))
        work.add_done_callback(self._freed)
        return await work

    def _freed(self, work: "asyncio.Future[Any]") -> None:
        self._free += 1
        if not work.cancelled():
            work.exception()  # Taken note of, for a caller that was cancelled meanwhile.

    def _close(self) -> None:
        self._writer.stop()
        self._threads.shutdown()
        self._engine.dispose()


class _GroupCommit:
    """The one thread that writes what `commit` queues."""

    def __init__(self, engine: Engine, bound: int) -> None:
        self._engine = engine
        self._queue: queue.Queue[_Unit | None] = queue.Queue(bound)
        self._thread = threading.Thread(target=self._run, name="group commit", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()

    async def commit(self, unit: Callable[[Session], T]) -> T:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        try:
            self._queue.put_nowait(_Unit(unit, done, loop))
        except queue.Full:
            raise OverloadedError("Too many writes wait for the disk; try again in a moment.") from None
        return await done

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            batch, stopping = self._batch(first)
            self._commit(batch)
            if stopping:
                return

    def _batch(self, first: "_Unit") -> tuple[list["_Unit"], bool]:
        batch = [first]
        until = time.monotonic() + _GATHER_S
        with contextlib.suppress(queue.Empty):
            while len(batch) < _BATCH:
                unit = self._queue.get(timeout=max(0.0, until - time.monotonic()))
                if unit is None:
                    return batch, True
                batch.append(unit)
        return batch, False

    def _commit(self, batch: list["_Unit"]) -> None:
        try:
            # A savepoint takes half as long as what it guards, and hardly a unit fails.
            if not _repeated(partial(self._carried_out, batch, guarded=False)):
                _repeated(partial(self._carried_out, batch, guarded=True))
        except Exception as error:  # The root of this thread: each caller gets the error.
            _settle(batch, error)
        else:
            _settle(batch, None)

    def _carried_out(self, batch: list["_Unit"], *, guarded: bool) -> bool:
        """Whether what could be done is; unguarded, one unit that fails undoes all."""
        with self._engine.connect() as connection, connection.begin():
            return all(unit.carry_out(connection, guarded=guarded) or guarded for unit in batch)


class _Unit:
    """One call of `commit`: the unit, and where its outcome goes."""

    def __init__(
        self, unit: Callable[[Session], Any], done: "asyncio.Future[Any]", loop: asyncio.AbstractEventLoop
    ) -> None:
        self._unit = unit
        self._done = done
        self.loop = loop
        self._value: Any = None
        self._error: Exception | None = None

    def carry_out(self, connection: Connection, *, guarded: bool) -> bool:
        """Whether it succeeds; keeps its own error, passes on one of the database as a whole.

        Guarded, it undoes only what it did itself where it fails; unguarded, the whole transaction.
        """
        self._error = None
        try:
            mode: Final = "create_savepoint" if guarded else "rollback_only"
            session = Session(connection, expire_on_commit=False, join_transaction_mode=mode)
            with session, session.begin():
                self._value = self._unit(session)
        except Exception as error:
            if isinstance(error, DBAPIError) and _is_away(error):
                raise
            self._error = error
        return self._error is None

    def tell(self, failure: Exception | None) -> None:
        """Hands the outcome to the caller, unless it has gone."""
        if self._done.done():
            return
        if error := failure or self._error:
            self._done.set_exception(error)
        else:
            self._done.set_result(self._value)


def _settle(batch: list[_Unit], failure: Exception | None) -> None:
    by_loop: dict[asyncio.AbstractEventLoop, list[_Unit]] = {}
    for unit in batch:
        by_loop.setdefault(unit.loop, []).append(unit)
    for loop, units in by_loop.items():
        with contextlib.suppress(RuntimeError):  # A loop that was closed has no callers left.
            loop.call_soon_threadsafe(_tell_all, units, failure)


def _tell_all(units: list[_Unit], failure: Exception | None) -> None:
    for unit in units:
        unit.tell(failure)


class _RepeatError(Exception):
    """The transaction lost against another, or its connection; the same again will do."""


def _repeated(transaction: Callable[[], T]) -> T:
    """Carries it out, again where that will do."""
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            with _mapped_errors():
                return transaction()
        except _RepeatError as error:
            if attempt == _ATTEMPTS:
                raise _away() from error.__cause__
    raise AssertionError("the last attempt returns or raises")


def _transaction(engine: Engine, unit: Callable[[Session], T]) -> T:
    with Session(engine, expire_on_commit=False) as session, session.begin():
        return unit(session)


@contextlib.contextmanager
def _mapped_errors() -> Iterator[None]:
    try:
        yield
    except PoolTimeoutError as error:
        raise OverloadedError("The database has too much to do; try again in a moment.") from error
    except DBAPIError as error:
        if getattr(error.orig, "pgcode", None) in _REPEATABLE_STATES or _lost_before_its_end(error):
            raise _RepeatError from error
        if _is_away(error):
            raise _away() from error
        raise


def _lost_before_its_end(error: DBAPIError) -> bool:
    """Whether the connection was lost, maybe long before, and not in COMMIT: what became of that one nobody knows."""
    return error.connection_invalidated and error.statement is not None  # COMMIT counts as none.


def _is_away(error: DBAPIError) -> bool:
    """Whether the database as a whole failed, not this statement."""
    if error.connection_invalidated:
        return True
    if isinstance(error.orig, sqlite3.Error):
        # SQLite calls a wrong table name operational, too. The low byte is the kind of the error.
        return (getattr(error.orig, "sqlite_errorcode", 0) & 0xFF) in _SQLITE_AWAY
    return isinstance(error, OperationalError)


def _away() -> VivavoceError:
    return UnavailableError("The database can't be reached or is locked; try again in a moment.")


def open_engine(url: str, threads: int) -> Engine:
    """An engine for `url` with our settings and a connection a thread, one more for the group commit.

    Raises:
        InvalidFieldError: it is the URL of no database that Vivavoce knows.
    """
    named = _known(url)
    common: dict[str, Any] = {
        "pool_size": threads + 1,
        "max_overflow": 0,
        "pool_timeout": 5,
        # The connection that was used last has in its memory what is asked for next.
        "pool_use_lifo": True,
        # Rows hold speech and mail addresses; errors are logged.
        "hide_parameters": True,
    }
    if named.drivername == "sqlite":
        return _sqlite(named, common)
    return create_engine(named, **common, connect_args=_POSTGRESQL)


def _for_reading(engine: Engine) -> Engine:
    """The same, for transactions that only read, and read of one moment."""
    if engine.dialect.name == "sqlite":
        return engine.execution_options(**{_READ_ONLY: True})
    # Told with BEGIN, which a SET beside it would need an answer for.
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def _known(url: str) -> URL:
    named: URL | None = None
    with contextlib.suppress(ArgumentError):
        named = make_url(url)
    match named:
        case URL(drivername="postgresql"):
            return named.set(drivername=_DRIVER)
        case URL(drivername="postgresql+psycopg2" | "sqlite", database=str()):
            return named
        case _:
            # It is not repeated: it may hold a password.
            raise InvalidFieldError(
                "The database URL names none that can be used; write sqlite:///path/to/file.db or "
                "postgresql://user:password@host/database.",
                field="database_url",
            )


def _sqlite(url: URL, common: dict[str, Any]) -> Engine:
    Path(url.database or "").parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, **common, connect_args={"check_same_thread": False})
    event.listen(engine, "connect", _connect_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _connect_sqlite(connection: DBAPIConnection, _: object) -> None:
    connection.isolation_level = None  # We say BEGIN ourselves.
    connection.execute(f"PRAGMA busy_timeout={_BUSY_TIMEOUT_MS}")
    _write_ahead(connection)
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")


def _write_ahead(connection: DBAPIConnection) -> None:
    """Turns the write-ahead log on, which SQLite refuses at once, without its usual wait, while another does so."""
    give_up = time.monotonic() + _BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                raise
            time.sleep(0.01)  # In the thread that connects; never on the loop.
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    # A writer that begins deferred can find, at its first write, that its snapshot is stale, and must start over.
    read_only = connection.get_execution_options().get(_READ_ONLY)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
