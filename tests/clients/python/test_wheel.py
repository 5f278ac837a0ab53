"""The client's wheel stands alone: it holds nothing of the server, and needs nothing of it."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[3] / "clients" / "python"
#: Imports what the wheel holds, with every package of this machine that the client does not depend on hidden.
ALONE = """
import sys
allowed = {"google", "grpc", "vivavoce", "buf", "typing_extensions"} | set(sys.stdlib_module_names)

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in allowed:
            raise ModuleNotFoundError(f"the client needs {name}, which its wheel does not name", name=name)

sys.meta_path.insert(0, Hidden())
sys.path.insert(0, sys.argv[1])
import vivavoce.client, vivavoce.history.v1.history_service_pb2_grpc
print(vivavoce.client.__file__)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    built = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", str(built), str(FOLDER)], check=True, timeout=55)
    (found,) = built.glob("vivavoce_client-*.whl")
    return found


def test_it_holds_the_client_and_the_stubs_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name.partition("/")[0] for name in names if ".dist-info" not in name} == {"vivavoce", "buf"}
    assert "vivavoce/client/client.py" in names
    assert "vivavoce/py.typed" in names
    assert wheel.stat().st_size < 1 << 20


def test_it_is_imported_without_any_package_of_the_server(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    # Isolated: what this repository installs in place is not seen by it.
    ran = subprocess.run(
        [sys.executable, "-I", "-c", ALONE, str(tmp_path)], capture_output=True, text=True, timeout=30, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == str(tmp_path / "vivavoce" / "client" / "__init__.py")
