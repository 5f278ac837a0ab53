"""`viva backup` and `viva restore`: everything a data folder keeps, in one file."""

import json
import sqlite3
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import Final

from cli.addresses import DATA_DIR
from cli.output import console
from cli.up import held
from mesh.errors import AlreadyExistsError, InvalidFieldError, NotFoundError, PreconditionError

#: In this order: what conversation still has to send to history may be in both copies, and is never in neither.
_DATABASES: Final = ("user.db", "conversation.db", "history.db", "media.db")
#: After the databases: a file that no row names is removed, a row whose file is missing is a hole.
_FOLDERS: Final = ("keys", "recordings", "archive", "mail")
_ABOUT: Final = "vivavoce.json"


def backup(file: Path, data_dir: Path | None) -> None:
    """Writes all that lasts in a data folder to `file`, also while a mesh runs on it. Blocks.

    Raises:
        AlreadyExistsError: the file is there.
        NotFoundError: the folder holds no databases.
        PreconditionError: it holds them elsewhere than in SQLite.
    """
    folder = (data_dir or DATA_DIR).expanduser().resolve()
    if file.exists():
        raise AlreadyExistsError(f"{file} is there already; choose another name.")
    if (folder / "stores").exists():
        raise PreconditionError(
            f"What {folder} keeps lies in PostgreSQL and SeaweedFS; docs/operations.md says how these are backed up."
        )
    found = [name for name in _DATABASES if (folder / name).exists()]
    if not found:
        raise NotFoundError(f"{folder} holds nothing to back up; name the folder with --data-dir.")
    part = file.with_name(f".{file.name}.part")
    try:
        with tarfile.open(part, "w:gz", compresslevel=1) as archive:
            part.chmod(0o600)
            _add_text(archive, _ABOUT, json.dumps({"version": version("vivavoce"), "databases": found}))
            for name in found:
                _add_database(archive, folder / name)
            for name in _FOLDERS:
                if (folder / name).exists():
                    archive.add(folder / name, name)
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
    console().print(f"{file} holds everything of {folder}. It holds keys, too: keep it where nobody else reads it.")


def restore(file: Path, data_dir: Path | None) -> None:
    """Puts what a backup holds into a data folder that holds nothing yet. Blocks.

    Raises:
        NotFoundError: there is no such file.
        InvalidFieldError: it is no backup, or a broken one; nothing is left behind.
        AlreadyExistsError: the folder holds databases, or a mesh runs on it.
    """
    folder = (data_dir or DATA_DIR).expanduser().resolve()
    if not file.exists():
        raise NotFoundError(f"{file} is not there.")
    with held(folder):
        if taken := [name for name in _DATABASES if (folder / name).exists()]:
            raise AlreadyExistsError(f"{folder} holds {', '.join(taken)}; choose an empty folder with --data-dir.")
        with tempfile.TemporaryDirectory(dir=folder, prefix=".restore-") as part:
            _unpack(file, Path(part))
            for path in Path(part).iterdir():
                if path.name != _ABOUT:
                    path.replace(folder / path.name)
    console().print(f"{folder} holds what {file} held; start it with `viva up --data-dir {folder}`.")


def _unpack(file: Path, folder: Path) -> None:
    try:
        with tarfile.open(file, "r:gz") as archive:
            archive.extractall(folder, members=_ours(archive), filter="data")
        about = json.loads((folder / _ABOUT).read_text())
        for name in about["databases"]:
            _check(folder / name)
    except (tarfile.TarError, OSError, EOFError, ValueError, KeyError, sqlite3.DatabaseError) as error:
        raise InvalidFieldError(f"{file} is no whole backup of `viva backup`; take another.", field="file") from error


def _ours(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """Only what a backup holds, whatever else somebody put in."""
    for member in archive:
        if member.name.partition("/")[0] in (_ABOUT, *_DATABASES, *_FOLDERS):
            yield member


def _add_database(archive: tarfile.TarFile, path: Path) -> None:
    """A copy as of one moment, whoever writes meanwhile."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        with (
            closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(copy)) as to,
        ):
            source.backup(to)
        archive.add(copy, path.name)


def _add_text(archive: tarfile.TarFile, name: str, text: str) -> None:
    entry = tarfile.TarInfo(name)
    content = text.encode()
    entry.size, entry.mtime, entry.mode = len(content), int(time.time()), 0o600
    archive.addfile(entry, BytesIO(content))


def _check(database: Path) -> None:
    if not database.exists():
        raise ValueError(database.name)
    with closing(sqlite3.connect(database)) as opened:
        if opened.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            raise sqlite3.DatabaseError(database.name)
