"""Generates the stubs from the contract; with --check only tells whether the committed ones are fresh."""

import argparse
import filecmp
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
MODULES: Final = ("type", "mesh", "user", "conversation", "ai_engine", "history", "media")


def _as_packages(out: Path, folders: tuple[str, ...]) -> None:
    shutil.rmtree(out / "google", ignore_errors=True)
    for package in folders:
        folder = out / package
        while folder != out:
            # protoc writes none, and import-linter passes silently over folders without one.
            (folder / "__init__.py").touch()
            folder = folder.parent


@dataclass(frozen=True, slots=True)
class Stubs:
    """The stubs of one language."""

    template: str
    #: As the template names it.
    out: str
    #: Folders below `out` that hold generated code and nothing else.
    folders: tuple[str, ...]
    finish: Callable[[Path, tuple[str, ...]], None] = lambda *_: None

    def generate(self, out: Path) -> None:
        """Writes them below `out`."""
        template = (ROOT / self.template).read_text().replace(f"out: {self.out}", f"out: {out}")
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        # buf keeps nothing; Go finds what it has built where it always does.
        env = {**os.environ, "PATH": path, "BUF_CACHE_DIR": str(out)}
        subprocess.run(["buf", "generate", "--template", template], cwd=ROOT, check=True, env=env)
        self.finish(out, self.folders)

    def regenerate(self) -> None:
        """Writes them where they are committed, in place of what was there."""
        out = ROOT / self.out
        for folder in self.folders:
            shutil.rmtree(out / folder, ignore_errors=True)
        out.mkdir(parents=True, exist_ok=True)
        self.generate(out)

    def stale(self) -> Iterator[str]:
        """Names the committed files that differ from fresh ones, or stand on one side only."""
        with tempfile.TemporaryDirectory() as temporary:
            fresh = Path(temporary)
            self.generate(fresh)
            for folder in self.folders:
                ours, theirs = _files(ROOT / self.out / folder), _files(fresh / folder)
                same = sorted(ours & theirs)
                _, differ, unread = filecmp.cmpfiles(ROOT / self.out / folder, fresh / folder, same, shallow=False)
                yield from (f"{self.out}/{folder}/{name}" for name in [*sorted(ours ^ theirs), *differ, *unread])


def _files(folder: Path) -> set[str]:
    # Python keeps compiled files beside its own.
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*.*") if "__pycache__" not in path.parts}


PYTHON: Final = Stubs(
    template="buf.gen.yaml",
    out="clients/python",
    folders=("buf/validate", *(f"vivavoce/{name}/v1" for name in MODULES)),
    finish=_as_packages,
)
WEB: Final = Stubs(template="buf.gen.web.yaml", out="clients/web/src/gen", folders=("vivavoce",))
TYPESCRIPT: Final = Stubs(
    template="buf.gen.typescript.yaml", out="clients/typescript/src/gen", folders=("vivavoce", "google")
)
GO: Final = Stubs(template="buf.gen.go.yaml", out="clients/go/gen", folders=("vivavoce",))
ALL: Final = (PYTHON, WEB, TYPESCRIPT, GO)


def main() -> int:
    """Generates, or checks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; fail if the committed code is stale")
    if not parser.parse_args().check:
        for stubs in ALL:
            stubs.regenerate()
        return 0
    names = [name for stubs in ALL for name in stubs.stale()]
    if names:
        print("stale, run `make generate`:", *names, sep="\n  ")
    return 1 if names else 0


if __name__ == "__main__":
    raise SystemExit(main())
