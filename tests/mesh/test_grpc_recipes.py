"""The recipes of docs/grpc.md work as they stand: one address, reflection, health, and a conversation."""

import asyncio
import os
import re
import sys
from pathlib import Path

from cli.compose import RunningMesh

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
