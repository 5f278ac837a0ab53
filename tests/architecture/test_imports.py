"""The import contracts hold, and they would see it if they did not."""

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

#: A violation of each contract: its name in pyproject.toml, a file, and the line added to it.
VIOLATIONS = {
    "Services and the edge talk only over gRPC": ("services/history/domain", "import services.media.settings"),
    "The runtime knows no service, and the command line stands above all": ("mesh/clock", "import services.user.app"),
    "Every service has the same inside": ("services/user/domain", "import services.user.store"),
    "Domains are plain Python": ("services/media/domain", "import grpc"),
    "One provider, one file": ("services/ai_engine/providers/whisper", "import services.ai_engine.providers.hibari"),
}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    skip = shutil.ignore_patterns("__pycache__", "node_modules", "static")
    for folder in ("mesh", "services", "edge", "cli"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=skip)
    shutil.copytree(ROOT / "clients" / "python" / "vivavoce", tmp_path / "vivavoce", ignore=skip)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def verdicts(folder: Path) -> dict[str, str]:
    done = subprocess.run(
        ["lint-imports", "--no-cache"], cwd=folder, capture_output=True, text=True, check=False,
        env={"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "PYTHONPATH": str(folder), "COLUMNS": "200"},
    )  # fmt: skip
    return dict(re.findall(r"^(.+?) (KEPT|BROKEN)$", done.stdout, re.MULTILINE))


def python_file(folder: Path, module: str) -> Path:
    path = folder / f"{module}.py"
    return path if path.exists() else folder / module / "__init__.py"


def test_a_planted_violation_of_each_contract_is_seen(copy: Path) -> None:
    assert verdicts(copy) == dict.fromkeys(VIOLATIONS, "KEPT")
    for module, line in VIOLATIONS.values():
        path = python_file(copy, module)
        path.write_text(f"{path.read_text()}\n{line}\n")
    assert verdicts(copy) == dict.fromkeys(VIOLATIONS, "BROKEN")


def sources() -> Iterator[Path]:
    for folder in ("mesh", "services", "edge", "cli"):
        yield from (path for path in (ROOT / folder).rglob("*.py"))


def test_only_the_settings_module_reads_the_environment() -> None:
    readers = {
        str(path.relative_to(ROOT)) for path in sources() if re.search(r"\bos\.(environ|getenv)\b", path.read_text())
    }
    assert readers == {"mesh/settings.py"}


def test_only_the_stream_wrapper_reads_and_writes_grpc_streams() -> None:
    # mesh/client_call.py stands in for gRPC itself.
    assert set(sources_named(reads_or_writes_a_stream)) == {"mesh/streams.py", "mesh/client_call.py"}


def sources_named(has: Callable[[ast.AST], bool]) -> Iterator[str]:
    for path in sources():
        if any(has(node) for node in ast.walk(ast.parse(path.read_text()))):
            yield str(path.relative_to(ROOT))


def reads_or_writes_a_stream(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(attr="done_writing")):
            return True
        case ast.Call(func=ast.Attribute(value=ast.Name(id="context" | "call"), attr="read" | "write")):
            return True
        case _:
            return False
