"""Writes the vectors of every field; --check tells if they are fresh, --record holds the sessions anew."""

import argparse
import asyncio
import sys

from tools.vectors.every_field import FOLDER, changes_of_meaning, fresh
from tools.vectors.sessions import record


def main() -> int:
    """Writes the vectors, or checks them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; fail if a vector is stale")
    parser.add_argument("--record", action="store_true", help="hold the recorded sessions anew (two minutes)")
    asked = parser.parse_args()
    if changed := list(changes_of_meaning()):
        print(
            "The contract changed its meaning; clients that are out there would misunderstand:",
            *changed,
            "Mend the contract; or, where none is out there yet, delete the vector's line and run `make generate`.",
            sep="\n  ",
            file=sys.stderr,
        )
        return 1
    if asked.record:
        asyncio.run(record())
        return 0
    return _check() if asked.check else _write()


def _check() -> int:
    stale = [name for name, text in fresh().items() if not _is(name, text)]
    if stale:
        print("stale, run `make generate`:", *stale, sep="\n  ", file=sys.stderr)
    return 1 if stale else 0


def _is(name: str, text: str) -> bool:
    path = FOLDER / name
    return path.exists() and path.read_text() == text


def _write() -> int:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in fresh().items():
        (FOLDER / name).write_text(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
