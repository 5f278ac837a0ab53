"""Files as stores need them: written beside their place, brought to disk, then renamed; none outside its folder."""

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final

from mesh.errors import InvalidFieldError

PART: Final = ".part"
_KEY: Final = re.compile(r"[a-z0-9_]+(/[a-z0-9_]+)*(\.[a-z0-9]+)?")


def below(folder: Path, key: str) -> Path:
    """The place of `key` in `folder`.

    Raises:
        InvalidFieldError: it has other characters. Keys are made from ids that clients chose: none may lead out.
    """
    if not _KEY.fullmatch(key):
        raise InvalidFieldError("An id of a recording has only the characters a-z, 0-9 and _.")
    return folder / key


def write(file: Path, fill: Callable[[BinaryIO], object]) -> None:
    """Makes a file of what `fill` writes; a crash leaves it whole, or not there."""
    make_folder(file.parent)
    part = file.with_name(file.name + PART)
    with part.open("wb") as written:
        fill(written)
        written.flush()
        os.fsync(written.fileno())
    part.replace(file)
    _sync_folder(file.parent)


def make_folder(folder: Path) -> None:
    """Makes a folder and those above it, each name of which must reach the disk too."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    _sync_folder(folder.parent)


def size_of(folder: Path) -> int:
    """Bytes of all files below."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def delete_parts(folder: Path) -> None:
    """Removes what was left half written below."""
    for part in folder.rglob(f"*{PART}"):
        part.unlink(missing_ok=True)


def delete_tree(folder: Path) -> int:
    """Removes all below; how many bytes that were."""
    if not folder.is_dir():
        return 0
    freed = size_of(folder)
    shutil.rmtree(folder)
    return freed


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
