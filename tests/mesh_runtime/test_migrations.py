"""Migrations: run once, beside those of another service, by any number of replicas."""

import asyncio
import sys
from pathlib import Path

import pytest
from sqlalchemy import inspect, text
from sqlalchemy.orm import Session

from cli.ports import free_port
from mesh.database import Database, open_engine
from mesh.errors import InvalidFieldError, UnavailableError
from mesh.migrations import migrate
from mesh.testing import until

_ENV = """
from mesh.database import metadata
from mesh.migrations import run_migrations
run_migrations(metadata())
"""
_REVISION = """
import sqlalchemy as sa
from alembic import op
revision, down_revision = "1", None
def upgrade():
    op.create_table("{table}", sa.Column("id", sa.Integer, primary_key=True))
"""
_LATER = """
import sqlalchemy as sa
from alembic import op
revision, down_revision = "2", "1"
def upgrade():
    op.add_column("tree_rows", sa.Column("age", sa.Integer, server_default="1"))
    op.create_table("leaf_rows", sa.Column("id", sa.Integer, primary_key=True))
    op.create_index("ix_tree_rows_age", "tree_rows", ["age"])
"""
_TIMEOUTS = """
from alembic import op
revision, down_revision = "2", "1"
def upgrade():
    settings = ", ".join(f"current_setting('{name}_timeout') AS {name}" for name in ("statement", "lock"))
    op.execute(f"CREATE TABLE timeouts AS SELECT {settings}")
"""


def _script(folder: Path, table: str) -> Path:
    (folder / "versions").mkdir(parents=True)
    (folder / "env.py").write_text(_ENV)
    (folder / "versions" / "1_first.py").write_text(_REVISION.format(table=table))
    return folder


def _tables(url: str) -> set[str]:
    engine = open_engine(url, 1)
    try:
        return set(inspect(engine).get_table_names())
    finally:
        engine.dispose()


async def test_two_services_keep_their_revisions_apart_in_one_database(database_url: str, tmp_path: Path) -> None:
    for service in ("plant", "stone"):
        script = _script(tmp_path / service, f"{service}_rows")
        for _ in range(2):
            await asyncio.to_thread(migrate, database_url, script, f"alembic_version_{service}")
    assert {"plant_rows", "stone_rows", "alembic_version_plant", "alembic_version_stone"} <= _tables(database_url)


@pytest.mark.parametrize("url", ["sqlite", "sqlite://", "mysql://ann:secret@host/db", "postgresql+asyncpg://h/db"])
def test_the_url_of_no_database_that_is_known_is_refused_and_not_repeated(url: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidFieldError, match="postgresql://user:password@host/database") as refused:
        migrate(url, tmp_path, "alembic_version_moon")
    assert "secret" not in str(refused.value)


def test_a_database_that_can_t_be_reached_is_told_with_the_reason(tmp_path: Path) -> None:
    url = f"postgresql://ann:secret@127.0.0.1:{free_port('127.0.0.1')}/moon"
    with pytest.raises(UnavailableError, match="Connection refused") as away:
        migrate(url, tmp_path, "alembic_version_moon")
    assert "secret" not in str(away.value)


async def test_replicas_that_start_together_migrate_once(database_url: str, tmp_path: Path) -> None:
    script = _script(tmp_path / "river", "river_rows")
    replica = "from mesh.migrations import migrate; import sys; migrate(*sys.argv[1:])"

    async def started(code: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            code,
            database_url,
            str(script),
            "alembic_version_river",
            cwd=Path(__file__).parents[2],
        )

    replicas = [await started(replica) for _ in range(2)]
    assert [await each.wait() for each in replicas] == [0, 0]
    assert "river_rows" in _tables(database_url)
    # One that finds everything up to date starts without what migrates.
    late = await started(f"{replica}; assert 'alembic' not in sys.modules")
    assert await late.wait() == 0


async def test_an_earlier_version_goes_on_while_a_later_one_widens_its_tables(
    database_url: str, tmp_path: Path
) -> None:
    script = _script(tmp_path / "tree", "tree_rows")
    await asyncio.to_thread(migrate, database_url, script, "alembic_version_tree")
    (script / "versions" / "2_later.py").write_text(_LATER)
    async with Database(database_url) as db:
        rows: list[int] = []

        async def plant() -> None:
            while True:
                await db.commit(_plant)
                rows.append(await db.read(_count))

        planting = asyncio.create_task(plant())
        await until(lambda: len(rows) > 10)
        await asyncio.to_thread(migrate, database_url, script, "alembic_version_tree")
        later = len(rows) + 10
        await until(lambda: len(rows) > later or planting.done())
        planting.cancel()
        await asyncio.wait([planting])
        assert planting.cancelled(), "it failed"
    assert rows == list(range(1, len(rows) + 1))
    assert "leaf_rows" in _tables(database_url)


async def test_a_migration_may_take_its_time_and_waits_shortly_for_those_who_talk(
    postgres_url: str, tmp_path: Path
) -> None:
    script = _script(tmp_path / "hill", "hill_rows")
    (script / "versions" / "2_later.py").write_text(_TIMEOUTS)
    await asyncio.to_thread(migrate, postgres_url, script, "alembic_version_hill")
    async with Database(postgres_url) as db:
        told = await db.read(lambda session: tuple(session.execute(text("SELECT * FROM timeouts")).one()))
    assert told == ("0", "4s")


async def test_a_migrated_database_can_be_used(database_url: str, tmp_path: Path) -> None:
    await asyncio.to_thread(migrate, database_url, _script(tmp_path / "cloud", "cloud_rows"), "alembic_version_cloud")
    async with Database(database_url) as db:
        await db.run(lambda session: session.connection().exec_driver_sql("INSERT INTO cloud_rows VALUES (1)").rowcount)


def _plant(session: Session) -> None:
    session.execute(text("INSERT INTO tree_rows (id) SELECT count(*) + 1 FROM tree_rows"))


def _count(session: Session) -> int:
    counted: int = session.execute(text("SELECT count(*) FROM tree_rows")).scalar_one()
    return counted
