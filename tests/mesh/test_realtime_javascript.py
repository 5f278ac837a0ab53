"""OpenAI's own JavaScript agents SDK, as it comes, talks with the tutor: it speaks, listens, interrupts, comes back."""

import asyncio
import fcntl
import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from cli.compose import RunningMesh
from tests.mesh.conftest import Say
from tests.mesh.realtime_edge import another_edge

FOLDER = Path(__file__).parents[1] / "realtime_js"
RATE = 24_000
LINES = ("Hello, I would like a cappuccino, please.", "No wait, a green tea, please.", "That is all, thank you.")


def installed_sdk() -> Path:
    """The folder with the SDK installed as its lock file says."""
    installed = FOLDER / "node_modules" / ".package-lock.json"
    wanted = FOLDER / "package-lock.json"
    with wanted.open() as lock:
        # Tests in other processes want it, too.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not installed.exists() or installed.stat().st_mtime < wanted.stat().st_mtime:
            npm = shutil.which("npm")
            assert npm is not None, "Node.js 20 is missing: apt-get install nodejs npm"
            subprocess.run([npm, "ci", "--ignore-scripts", "--loglevel", "error"], cwd=FOLDER, check=True, timeout=200)
            installed.touch()
    return FOLDER


@pytest.fixture(scope="module")
def sdk() -> Path:
    return installed_sdk()


@pytest.mark.timeout(300)
async def test_the_agents_sdk_talks_interrupts_and_connects_again_after_a_restart(
    mesh: RunningMesh, data_folder: Path, token: str, say: Say, sdk: Path, tmp_path: Path
) -> None:
    recordings = []
    for number, line in enumerate(LINES):
        recordings.append(tmp_path / f"{number}.pcm")
        recordings[-1].write_bytes((await say(line)).at_rate(RATE).pcm)
    async with AsyncExitStack() as edges:
        edge = await edges.enter_async_context(another_edge(mesh.grpc, data_folder))
        node = await asyncio.create_subprocess_exec(
            *("node", "talk.mjs", f"ws://127.0.0.1:{edge.port}/v1/realtime", token, *map(str, recordings)),
            cwd=sdk,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        told: list[dict[str, Any]] = []
        try:
            async for each in _lines(node):
                told.append(each)
                if each["what"] == "cut me":
                    await edges.aclose()
                    await edges.enter_async_context(another_edge(mesh.grpc, data_folder, port=edge.port))
                    assert node.stdin is not None
                    node.stdin.write(b"go on\n")
            assert await node.wait() == 0, told
        finally:
            if node.returncode is None:
                node.kill()
    heard = [each["text"].lower() for each in told if each["what"] == "heard"]
    assert [word in text for word, text in zip(("cappuccino", "tea", "thank"), heard, strict=True)] == [True] * 3, told
    assert {"what": "back", "resumed": True} in told
    assert [each for each in told if each["what"] == "interrupted"], told
    assert not [each for each in told if each["what"] == "error"], told
    (history,) = [each["items"] for each in told if each["what"] == "history"]
    assert [role for role, _ in history] == ["user", "assistant", "user", "assistant"]
    assert "cappuccino" in history[0][1].lower()


async def _lines(node: asyncio.subprocess.Process) -> AsyncIterator[dict[str, Any]]:
    assert node.stdout is not None
    async with asyncio.timeout(120):
        async for line in node.stdout:
            if line.startswith(b"{"):
                yield json.loads(line)
