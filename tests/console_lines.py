"""Runs the lines that pages of the documentation tell people to type."""

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

DOCS = Path(__file__).parent.parent / "docs"


def lines_of(page: str) -> list[str]:
    """The commands of a page, in order, their continuation lines included."""
    blocks = re.findall(r"```console\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)
    return [command for block in blocks for command in re.findall(r"^\$ ((?:.*\\\n)*.*)$", block, re.MULTILINE)]


def typed(line: str, variables: Mapping[str, str]) -> str:
    """What a command prints."""
    done = subprocess.run(
        ["bash", "-c", line],
        env={**os.environ, **variables, "no_proxy": "*"},
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    return done.stdout
