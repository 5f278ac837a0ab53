"""Migrations: run once, beside those of another service, by any number of replicas."""

import asyncio
import sys
from pathlib import Path

from sqlalchemy import inspect

from mesh.database import Database, open_engine
from mesh.migrations import migrate

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


async def test_replicas_that_start_together_migrate_once(database_url: str, tmp_path: Path) -> None:
    script = _script(tmp_path / "river", "river_rows")
    replica = "from mesh.migrations import migrate; import sys; migrate(*sys.argv[1:])"
    replicas = [
        await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            replica,
            database_url,
            str(script),
            "alembic_version_river",
            cwd=Path(__file__).parents[2],
        )
        for _ in range(2)
    ]
    assert [await each.wait() for each in replicas] == [0, 0]
    assert "river_rows" in _tables(database_url)


async def test_a_migrated_database_can_be_used(database_url: str, tmp_path: Path) -> None:
    await asyncio.to_thread(migrate, database_url, _script(tmp_path / "cloud", "cloud_rows"), "alembic_version_cloud")
    async with Database(database_url) as db:
        await db.run(lambda session: session.connection().exec_driver_sql("INSERT INTO cloud_rows VALUES (1)").rowcount)
