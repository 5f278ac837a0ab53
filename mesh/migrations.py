"""Brings the tables of a service up to date with Alembic, once, however many replicas start together."""

import zlib
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, MetaData, inspect, text
from sqlalchemy.exc import OperationalError

from mesh.database import open_engine
from mesh.errors import UnavailableError

_CONNECTION: Final = "connection"
_VERSION_TABLE: Final = "version_table"
_LOCK_MS: Final = 4_000


def migrate(db_url: str, script_location: Path | str, version_table: str) -> None:
    """Upgrades to the newest revision below `script_location`. Blocks; call it before the loop, or in a thread.

    `version_table` is the service's own, such as `alembic_version_user`, so that services may share a database.
    Revisions are numbered, and their files named by them: "0001_people.py".

    Raises:
        InvalidFieldError: it is the URL of no database that Vivavoce knows.
        UnavailableError: the database can't be reached, is in use for too long, or can't be written.
    """
    engine = open_engine(db_url, 1)
    try:
        with engine.connect() as connection, connection.begin():
            if _version(connection, version_table) == _newest(Path(script_location)):
                return
        with engine.connect() as connection, connection.begin():
            _lock(connection, version_table)
            _upgrade(connection, script_location, version_table)
    except OperationalError as error:
        (reason, *_) = str(error.orig).splitlines() or [""]
        raise UnavailableError(
            f"The database can't be used: {reason}. See that it runs, has room, and is the right one."
        ) from error
    finally:
        engine.dispose()


def run_migrations(tables: MetaData) -> None:
    """The whole body of a service's `migrations/env.py`: runs on the connection of `migrate`."""
    from alembic import context

    connection: Connection = context.config.attributes[_CONNECTION]

    def ours(_: object, name: str | None, kind: str, reflected: bool, __: object) -> bool:
        # Services may share a database: tables of others are none of our business.
        return kind != "table" or not reflected or name in tables.tables

    options: dict[str, Any] = {"render_as_batch": connection.dialect.name == "sqlite", "include_object": ours}
    context.configure(
        connection=connection,
        target_metadata=tables,
        version_table=context.config.attributes[_VERSION_TABLE],
        **options,
    )
    context.run_migrations()


def _version(connection: Connection, version_table: str) -> str:
    """The revision of the tables; empty where there are none yet."""
    if not inspect(connection).has_table(version_table):
        return ""
    return str(connection.execute(text(f"SELECT version_num FROM {version_table}")).scalar() or "")


def _newest(script_location: Path) -> str:
    return max(path.name.partition("_")[0] for path in (script_location / "versions").glob("*_*.py"))


def _upgrade(connection: Connection, script_location: Path | str, version_table: str) -> None:
    # Imported here: tables that are up to date, as at nearly every start, never pay for it.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(script_location).replace("%", "%%"))
    config.attributes[_CONNECTION] = connection
    config.attributes[_VERSION_TABLE] = version_table
    command.upgrade(config, "head")


def _lock(connection: Connection, version_table: str) -> None:
    """Held to the end of the transaction. SQLite's BEGIN IMMEDIATE is such a lock by itself."""
    if connection.dialect.name != "postgresql":
        return
    # What changes many rows takes its time, and so do replicas that wait for one that does.
    connection.execute(text("SET LOCAL statement_timeout = 0"))
    connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
    key = zlib.crc32(version_table.encode())
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})
    # A table that is in use is not waited for longer than those wait who come after us for it.
    connection.execute(text(f"SET LOCAL lock_timeout = {_LOCK_MS}"))
