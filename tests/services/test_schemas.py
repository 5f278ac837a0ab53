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
from sqlalchemy.engine.reflection import Inspector

from mesh.database import open_engine
from mesh.migrations import migrate

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ["user", "conversation", "history", "media"]

#: Names of full-text indexes begin so: each database has them in its own way.
SEARCH = "history_search"
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


def is_own(name: str | None, store: ModuleType) -> bool:
    """Whether a table or an index is one that schema.md tells: not the versions', nor a full-text index."""
    return name != store.VERSION_TABLE and not (name or "").startswith(SEARCH)


def columns_of(found: Inspector, table: str) -> list[tuple[str, str, str]]:
    # SQLite numbers rows in 64 bits, in a column that has to be called INTEGER.
    numbered = found.dialect.name == "sqlite" and found.get_pk_constraint(table)["constrained_columns"]
    return [
        (
            column["name"],
            "bigint" if numbered == [column["name"]] and kind_of(column) == "integer" else kind_of(column),
            "yes" if column["nullable"] else "no",
        )
        for column in found.get_columns(table)
    ]


@pytest.mark.parametrize("service", SERVICES)
def test_schema_md_tells_every_column_of_the_migrated_database(service: str, database_url: str) -> None:
    migrated(service, database_url)
    engine = open_engine(database_url, 1)
    found = inspect(engine)
    store = store_of(service)
    real = {table: columns_of(found, table) for table in found.get_table_names() if is_own(table, store)}
    engine.dispose()
    assert described(service) == real


@pytest.mark.parametrize("service", SERVICES)
def test_models_and_migrated_database_agree(service: str, database_url: str) -> None:
    migrated(service, database_url)
    store = store_of(service)
    engine = open_engine(database_url, 1)
    with engine.connect() as connection:
        options = {
            "version_table": store.VERSION_TABLE,
            "compare_type": True,
            "include_object": lambda _, name, *__: is_own(name, store),
        }
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
