"""Every table is as the models say, and as `schema.md` tells people."""

import re
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import String, inspect
from sqlalchemy.engine.interfaces import ReflectedColumn

from mesh.database import open_engine
from mesh.migrations import migrate

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ["user", "conversation", "history", "media"]

#: One line of a table in schema.md: column, type, whether it may be empty.
LINE = re.compile(r"^\| `(\w+)` \| ([^|]+) \| (yes|no) \|", re.MULTILINE)


def store_of(service: str) -> ModuleType:
    return import_module(f"services.{service}.store")


def migrated(service: str, url: str) -> None:
    migrate(url, ROOT / "services" / service / "migrations", store_of(service).VERSION_TABLE)


def described(service: str) -> dict[str, list[tuple[str, str, str]]]:
    text = (ROOT / "services" / service / "schema.md").read_text()
    sections = re.split(r"^## `(\w+)`$", text, flags=re.MULTILINE)[1:]
    return {
        name: [(column, kind.strip(), empty) for column, kind, empty in LINE.findall(body)]
        for name, body in zip(sections[::2], sections[1::2], strict=True)
    }


def kind_of(column: ReflectedColumn) -> str:
    generic = column["type"].as_generic()
    name = {
        "String": "text",
        "Text": "text",
        "BigInteger": "bigint",
        "Integer": "integer",
        "Boolean": "boolean",
        "LargeBinary": "bytes",
        "JSON": "json",
    }[type(generic).__name__]
    return f"{name}({generic.length})" if isinstance(generic, String) and generic.length else name


@pytest.mark.parametrize("service", SERVICES)
def test_schema_md_tells_every_column_of_the_migrated_database(service: str, database_url: str) -> None:
    migrated(service, database_url)
    engine = open_engine(database_url, 1)
    found = inspect(engine)
    real = {
        table: [
            (column["name"], kind_of(column), "yes" if column["nullable"] else "no")
            for column in found.get_columns(table)
        ]
        for table in found.get_table_names()
        if table != store_of(service).VERSION_TABLE
    }
    engine.dispose()
    assert described(service) == real


@pytest.mark.parametrize("service", SERVICES)
def test_models_and_migrated_database_agree(service: str, database_url: str) -> None:
    migrated(service, database_url)
    store = store_of(service)
    engine = open_engine(database_url, 1)
    with engine.connect() as connection:
        options = {"version_table": store.VERSION_TABLE, "compare_type": True}
        context = MigrationContext.configure(connection, opts=options)
        differences = compare_metadata(context, store.Base.metadata)
    engine.dispose()
    assert differences == []


def test_services_can_share_a_database(database_url: str) -> None:
    for service in [*SERVICES, *SERVICES]:
        migrated(service, database_url)
    engine = open_engine(database_url, 1)
    tables = set(inspect(engine).get_table_names())
    engine.dispose()
    assert {name for service in SERVICES for name in store_of(service).Base.metadata.tables} <= tables
