"""The lines of docs/rest.md do what the page says."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cli.bench.server import INSTANT, mesh_process

PAGE = Path(__file__).parents[3] / "docs" / "rest.md"


def lines() -> list[str]:
    """The calls of the page, in order, their continuation lines included."""
    blocks = re.findall(r"```console\n(.*?)```", PAGE.read_text(), re.DOTALL)
    commands = [command for block in blocks for command in re.findall(r"^\$ ((?:.*\\\n)*.*)$", block, re.MULTILINE)]
    return [command for command in commands if command.startswith("curl")]


@pytest.mark.timeout(120)
def test_every_line_of_the_page_does_what_it_says() -> None:
    with mesh_process(INSTANT) as mesh:
        variables = {"WEB": mesh.web, "TOKEN": mesh.token, "REFRESH": ""}
        answers = []
        for line in lines():
            answers.append(run(line, variables))
            # What the page says to take from one answer for the next.
            variables["REFRESH"] = answers[-1].get("tokens", {}).get("refreshToken", variables["REFRESH"])
    *good, bad = answers
    assert len(good) >= 10
    assert not [answer for answer in good if "code" in answer]
    assert good[0]["user"]["guest"] is True
    assert good[-2]["user"]["profile"] == {"level": "CEFR_LEVEL_B1", "goals": ["a job interview in May"]}
    assert good[-1]["user"]["profile"] == {"level": "CEFR_LEVEL_B1"}
    assert bad["code"] == "invalid_argument"


def run(line: str, variables: dict[str, str]) -> dict[str, Any]:
    done = subprocess.run(
        ["bash", "-c", line],
        env={**os.environ, **variables, "no_proxy": "*"},
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer
