"""The official Connect client for browsers speaks to the edge as it is, in both forms, and reads its failures."""

import asyncio
import json
import subprocess
from pathlib import Path
from typing import Final

import pytest

import edge
from tests.edge.conftest import House

_CLIENT: Final = Path(edge.__file__).parent.parent / "clients" / "web"
#: What Vite does to the client's own code, done to the probe: one file that node runs.
_BUILD: Final = """
import { build } from "vite";
const [, out] = process.argv;
await build({
  configFile: false, logLevel: "error", ssr: { noExternal: true },
  build: { ssr: "src/api/edge.probe.ts", outDir: out, emptyOutDir: true },
});
"""


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The probe, built."""
    folder = tmp_path_factory.mktemp("probe")
    subprocess.run(["node", "--input-type=module", "--eval", _BUILD, folder], cwd=_CLIENT, check=True)
    return folder / "edge.probe.js"


async def node(*arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        "node", *arguments, cwd=_CLIENT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return out.decode()


@pytest.mark.parametrize("form", ["json", "proto"])
async def test_generated_clients_call_people_s_rpcs_and_read_why_one_failed(
    house: House, probe: Path, form: str
) -> None:
    seen = json.loads(await node(str(probe), house.edge.url, form))
    assert (seen["userId"], seen["guest"]) == ("usr_test", True)
    assert (seen["withoutToken"]["code"], seen["withoutToken"]["reason"]) == ("Unauthenticated", "TOKEN_MISSING")
    assert (seen["withoutProfile"]["code"], seen["withoutProfile"]["field"]) == ("InvalidArgument", "profile")
