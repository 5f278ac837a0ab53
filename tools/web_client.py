"""Builds the web client into the edge's package; with --check only tells whether the committed build is the same."""

import argparse
import filecmp
import subprocess
import tempfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
SOURCE: Final = ROOT / "clients" / "web"
BUILT: Final = ROOT / "edge" / "web"


def build(out: Path) -> None:
    """Builds into `out`, in place of what is there."""
    subprocess.run(["npm", "run", "--silent", "build", "--", "--outDir", out, "--emptyOutDir"], cwd=SOURCE, check=True)


def differing() -> list[str]:
    """Names the committed files that a build makes otherwise, or not at all, or that it makes more of."""
    with tempfile.TemporaryDirectory() as temporary:
        fresh = Path(temporary)
        build(fresh)
        ours, theirs = _files(BUILT), _files(fresh)
        _, differ, unread = filecmp.cmpfiles(BUILT, fresh, sorted(ours & theirs), shallow=False)
        return [*sorted(ours ^ theirs), *differ, *unread]


def _files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def main() -> int:
    """Builds, or checks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; fail if the committed build is another")
    if not parser.parse_args().check:
        build(BUILT)
        return 0
    names = differing()
    if names:
        print("edge/web is not what clients/web builds, run `make web`:", *names, sep="\n  ")
    return 1 if names else 0


if __name__ == "__main__":
    raise SystemExit(main())
