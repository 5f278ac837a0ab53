"""Runs a script with the page's own JavaScript files in node, and returns what it prints as JSON."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

import edge

STATIC = Path(edge.__file__).parent / "static"


def run(folder: Path, script: str, given: object = None) -> object:
    """The value `script` prints; it finds the page's files beside it as .mjs, and `given` in `given`."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed; the browser test covers these files too")
    for file in STATIC.glob("*.js"):
        (folder / file.with_suffix(".mjs").name).write_text(file.read_text())
    (folder / "given.json").write_text(json.dumps(given))
    head = 'import { readFileSync } from "node:fs";\nconst given = JSON.parse(readFileSync("given.json"));\n'
    (folder / "script.mjs").write_text(head + script)
    done = subprocess.run([node, "script.mjs"], cwd=folder, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
