"""`viva backup` and `viva restore`: a folder in use comes back as it was, and nothing broken comes back at all."""

import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from cli.backup import backup, restore
from mesh.errors import AlreadyExistsError, InvalidFieldError, NotFoundError, PreconditionError
from tests.cli.processes import ready, viva

ANN = {"email": "ann@example.org", "password": "nine violet teapots sing", "profile": {"displayName": "Ann"}}


def folder_with(path: Path, *rows: str) -> Path:
    """A data folder as small as it gets."""
    (path / "keys").mkdir(parents=True)
    (path / "keys" / "refresh.key").write_text("key")
    for name in ("user.db", "conversation.db"):
        with closing(sqlite3.connect(path / name)) as database, database:
            database.execute("CREATE TABLE words (word TEXT)")
            database.executemany("INSERT INTO words VALUES (?)", [(row,) for row in rows])
    return path


@pytest.mark.soak
@pytest.mark.timeout(120)
def test_an_account_made_before_a_backup_of_a_running_mesh_logs_in_after_it_is_restored(tmp_path: Path) -> None:
    before, after, file = tmp_path / "before", tmp_path / "after", tmp_path / "all.tar.gz"
    with viva("up", "--port", "0", "--data-dir", str(before), "--json") as running:
        web = ready(running)["web"]
        tokens = httpx.post(f"{web}/v1/users", json=ANN, timeout=20).raise_for_status().json()["tokens"]
        backup(file, before)
    restore(file, after)
    with viva("up", "--port", "0", "--data-dir", str(after), "--json") as running:
        web = ready(running)["web"]
        login = httpx.post(f"{web}/v1/login", json={key: ANN[key] for key in ("email", "password")}, timeout=20)
        assert login.status_code == 200, login.text
        # Also who was logged in stays so: the keys came along.
        mine = httpx.get(f"{web}/v1/users/me", headers={"authorization": f"Bearer {tokens['accessToken']}"}, timeout=20)
        assert mine.json()["user"]["email"] == ANN["email"]


def test_a_backup_is_only_its_owners_to_read(tmp_path: Path) -> None:
    backup(tmp_path / "all.tar.gz", folder_with(tmp_path / "data", "tea"))
    assert (tmp_path / "all.tar.gz").stat().st_mode & 0o777 == 0o600


def test_what_another_writes_meanwhile_does_not_break_the_copy(tmp_path: Path) -> None:
    folder = folder_with(tmp_path / "data", "tea")
    with closing(sqlite3.connect(folder / "user.db", isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("INSERT INTO words VALUES ('milk')")
        backup(tmp_path / "all.tar.gz", folder)
        writer.execute("COMMIT")
    restore(tmp_path / "all.tar.gz", tmp_path / "new")
    with closing(sqlite3.connect(tmp_path / "new" / "user.db")) as database:
        assert database.execute("SELECT word FROM words").fetchall() == [("tea",)]


def test_nothing_is_written_over(tmp_path: Path) -> None:
    folder, file = folder_with(tmp_path / "data", "tea"), tmp_path / "all.tar.gz"
    backup(file, folder)
    with pytest.raises(AlreadyExistsError, match="choose another name"):
        backup(file, folder)
    with pytest.raises(AlreadyExistsError, match="choose an empty folder"):
        restore(file, folder)


def test_a_file_that_breaks_off_leaves_nothing_behind(tmp_path: Path) -> None:
    file = tmp_path / "all.tar.gz"
    backup(file, folder_with(tmp_path / "data", *("word" * 9 for _ in range(2_000))))
    file.write_bytes(file.read_bytes()[:-200])
    with pytest.raises(InvalidFieldError, match="no whole backup"):
        restore(file, tmp_path / "new")
    assert {path.name for path in (tmp_path / "new").iterdir()} == {"up.lock"}


def test_a_file_of_somebody_else_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "evil.tar.gz"
    (tmp_path / "passwd").write_text("root")
    with tarfile.open(file, "w:gz") as archive:
        archive.add(tmp_path / "passwd", "keys/../../passwd")
    with pytest.raises(InvalidFieldError, match="no whole backup"):
        restore(file, tmp_path / "new")
    assert (tmp_path / "passwd").read_text() == "root"


def test_what_can_not_be_backed_up_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="--data-dir"):
        backup(tmp_path / "all.tar.gz", tmp_path / "nothing")
    (tmp_path / "real" / "stores").mkdir(parents=True)
    with pytest.raises(PreconditionError, match=r"docs/operations\.md"):
        backup(tmp_path / "all.tar.gz", tmp_path / "real")
    with pytest.raises(NotFoundError, match="not there"):
        restore(tmp_path / "missing.tar.gz", tmp_path / "new")
