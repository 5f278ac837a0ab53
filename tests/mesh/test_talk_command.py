"""`viva talk` with a server that is checked by its certificate."""

import asyncio
import json
import sys
from pathlib import Path

from tests.mesh.conftest import Sealed


async def talked(*arguments: str) -> tuple[int, str, str]:
    """What `viva talk` ended with, and said."""
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli.main", "talk", "--text", "A large tea, please.", "--scenario", "cafe", "--json"),
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await running.communicate()
    return running.returncode or 0, out.decode(), err.decode()


async def test_a_server_with_an_authority_of_its_own_is_reached_by_that_and_by_no_other(sealed: Sealed) -> None:
    code, out, err = await talked("--address", sealed.address, "--ca", str(sealed.authority))
    assert code == 0, err
    assert "tea" in json.loads(out)["turns"][0]["reply"].lower()
    code, _, err = await talked("--address", sealed.address, "--tls")
    assert code == 1
    assert "certificate" in err


async def test_a_file_without_a_certificate_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "authority.pem").write_text("nothing")
    code, _, err = await talked("--ca", str(tmp_path / "authority.pem"))
    assert code == 1
    assert "authority.pem holds no certificate; name a PEM file with --ca." in err
