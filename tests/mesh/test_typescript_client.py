"""The TypeScript client on a whole mesh: it talks aloud, interrupts, outlasts a cut; and its README says the truth."""

import asyncio
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cli.compose import RunningMesh
from cli.talking.sound import read_sound, write_sound
from tests.faults.proxy import FaultProxy
from tests.mesh.conftest import Say, Sealed

ROOT = Path(__file__).parents[2]
CLIENTS = ROOT / "clients"
CLIENT = CLIENTS / "typescript"
TALK = ROOT / "tests" / "typescript" / "talk.mjs"
LINES = (
    "Hello, I would like a cappuccino, please.",
    "No wait, a green tea, please.",
    "Could you say that again, please?",
    "That is all, thank you.",
)
#: Reaches a server by the authority it is told, then by those of the machine.
SEALED = """
import { readFileSync } from "node:fs";
import { Vivavoce } from "./index.js";
import { UserService } from "./gen/vivavoce/user/v1/user_service_pb.js";

const [address, authority] = process.argv.slice(2);
const client = await Vivavoce.connect(address, { tls: { ca: readFileSync(authority) } });
console.log("guest:", (await client.service(UserService).getUser({})).user.guest);
client.close();
await Vivavoce.connect(address, { tls: true }).catch(({ reason }) => console.log("refused:", reason));
"""


@pytest.fixture(scope="module")
def client() -> Path:
    """The folder of the client, built."""
    npm = shutil.which("npm")
    assert npm is not None, "Node.js 20.19 is missing: apt-get install nodejs npm"
    if not (CLIENTS / "node_modules").exists():
        subprocess.run([npm, "ci", "--loglevel", "error"], cwd=CLIENTS, check=True, timeout=200)
    subprocess.run([npm, "run", "--silent", "build"], cwd=CLIENT, check=True, timeout=100)
    return CLIENT


@pytest.mark.timeout(150)
async def test_it_talks_interrupts_and_outlasts_a_cut(
    mesh: RunningMesh, say: Say, client: Path, tmp_path: Path
) -> None:
    recordings = []
    for number, line in enumerate(LINES):
        recordings.append(tmp_path / f"{number}.pcm")
        recordings[-1].write_bytes((await say(line)).pcm)
    # Somewhere in the answer to what interrupts.
    async with FaultProxy(mesh.grpc, cut_after=420_000, once=True) as wire:
        told = await _run(client, str(TALK), wire.address, *map(str, recordings))
    said = [json.loads(line) for line in told.splitlines()]
    assert "drink" in _only(said, "opener")["text"].lower()
    heard = [each["text"].lower() for each in said if each["what"] == "heard"]
    assert ["cappuccino" in heard[0], "tea" in heard[1], bool(heard[2])] == [True] * 3
    assert _only(said, "interrupted") == {"what": "interrupted", "outcome": "INTERRUPTED", "partly": True}
    assert wire.has_cut
    assert _only(said, "resumed")["away"] is False
    assert _only(said, "ended")["failed"] is False
    assert _only(said, "ended")["sounded"] > 24_000


async def test_the_example_of_the_readme_runs(mesh: RunningMesh, client: Path, tmp_path: Path) -> None:
    code = (CLIENT / "README.md").read_text().partition("```ts\n")[2].partition("```")[0]
    assert "127.0.0.1:50051" in code
    program = client / "dist" / "readme.mjs"
    program.write_text(code.replace("127.0.0.1:50051", mesh.grpc))
    opener, said, answer, *_ = (await _run(client, str(program))).splitlines()
    assert "drink" in opener
    assert said == "You:   A large tea, please."
    assert "tea" in answer


async def test_a_server_with_an_authority_of_its_own_is_reached_by_that_and_by_no_other(
    sealed: Sealed, client: Path
) -> None:
    (client / "dist" / "sealed.mjs").write_text(SEALED)
    told = await _run(client, "dist/sealed.mjs", sealed.address, str(sealed.authority))
    assert told.splitlines() == ["guest: true", "refused: SERVICE_UNAVAILABLE"]


async def test_the_example_answers_a_recording_with_one(
    mesh: RunningMesh, say: Say, client: Path, tmp_path: Path
) -> None:
    question, reply = tmp_path / "question.wav", tmp_path / "reply.wav"
    write_sound(question, [await say(LINES[0])])
    told = await _run(client, "examples/talk.js", mesh.grpc, str(question), str(reply), "cafe")
    assert "cappuccino" in told.lower()
    assert read_sound(reply).duration_s > 1.0


async def _run(folder: Path, *arguments: str) -> str:
    """What a program in Node.js prints, which ends well."""
    node = await asyncio.create_subprocess_exec(
        "node", *arguments, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        told, complained = await asyncio.wait_for(node.communicate(), 120)
    finally:
        if node.returncode is None:
            node.kill()
    assert node.returncode == 0, (told + complained).decode()
    return told.decode()


def _only(said: list[dict[str, Any]], what: str) -> dict[str, Any]:
    (found,) = [each for each in said if each["what"] == what]
    return found
