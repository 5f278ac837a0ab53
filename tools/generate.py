"""Generates the Python stubs from the contract; with --check only tells whether the committed ones are fresh."""

import argparse
import filecmp
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "clients" / "python"
#: Folders below OUT that hold generated code and nothing else, but for the `__init__.py` written here.
PACKAGES = (
    "buf/validate",
    *(f"vivavoce/{name}/v1" for name in ("type", "user", "conversation", "ai_engine", "history", "media")),
)


def generate(out: Path) -> None:
    """Writes the generated packages below `out`."""
    template = (ROOT / "buf.gen.yaml").read_text().replace("out: clients/python", f"out: {out}")
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    subprocess.run(
        ["buf", "generate", "--template", template], cwd=ROOT, check=True, env={"PATH": path, "HOME": str(out)}
    )
    shutil.rmtree(out / "google", ignore_errors=True)
    for package in PACKAGES:
        folder = out / package
        while folder != out:
            # protoc writes none, and import-linter passes silently over folders without one.
            (folder / "__init__.py").touch()
            folder = folder.parent


def stale(fresh: Path) -> list[str]:
    """Names the generated files that differ from the committed ones, or stand on one side only."""
    found = []
    for package in PACKAGES:
        ours = {path.name for path in (OUT / package).glob("*.py*")}
        theirs = {path.name for path in (fresh / package).glob("*.py*")}
        found += [f"{package}/{name}" for name in sorted(ours ^ theirs)]
        _, differ, unread = filecmp.cmpfiles(OUT / package, fresh / package, sorted(ours & theirs), shallow=False)
        found += [f"{package}/{name}" for name in differ + unread]
    return found


def main() -> int:
    """Generates, or checks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; fail if the committed code is stale")
    if not parser.parse_args().check:
        for package in PACKAGES:
            shutil.rmtree(OUT / package, ignore_errors=True)
        OUT.mkdir(parents=True, exist_ok=True)
        generate(OUT)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder))
        names = stale(Path(folder))
    if names:
        print("stale, run `make generate`:", *names, sep="\n  ")
    return 1 if names else 0


if __name__ == "__main__":
    raise SystemExit(main())
