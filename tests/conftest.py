"""What tests of kept things stand on: empty databases on SQLite and PostgreSQL, and stores of what may be lost."""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.stores.postgres import Postgres
from cli.stores.seaweedfs import SeaweedFs
from cli.stores.valkey import Valkey
from tests.stores import own_postgres, own_seaweedfs, own_valkey

# Children of the tests become other programs at once. What gRPC does in between, for those that would go on using it,
# crashed one in some hundred of them.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"


@pytest.fixture(scope="session")
def shared_postgres() -> Iterator[Postgres]:
    with own_postgres() as server:
        yield server


@pytest.fixture
def postgres_url(shared_postgres: Postgres) -> str:
    """That of an empty database."""
    return shared_postgres.database(f"test_{secrets.token_hex(8)}")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/folder/test.db"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'test.db'}"


@pytest.fixture(scope="session")
def shared_valkey() -> Iterator[Valkey]:
    with own_valkey() as server:
        yield server


@pytest.fixture
def valkey_url(shared_valkey: Valkey) -> str:
    shared_valkey.empty()
    return shared_valkey.url


@pytest.fixture(params=["memory", "valkey"])
def ephemeral_url(request: pytest.FixtureRequest) -> str:
    if request.param == "memory":
        return "memory://"
    url: str = request.getfixturevalue("valkey_url")
    return url


@pytest.fixture(scope="session")
def seaweed() -> Iterator[SeaweedFs]:
    with own_seaweedfs() as server:
        yield server
