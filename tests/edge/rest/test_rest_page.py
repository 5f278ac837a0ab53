"""The lines of docs/rest.md do what the page says."""

import json

import pytest

from cli.bench.server import INSTANT, mesh_process
from tests.console_lines import lines_of, typed


@pytest.mark.timeout(120)
def test_every_line_of_the_page_does_what_it_says() -> None:
    with mesh_process(INSTANT) as mesh:
        variables = {"WEB": mesh.web, "TOKEN": mesh.token, "REFRESH": ""}
        answers = []
        for line in lines_of("rest.md"):
            answers.append(json.loads(typed(line, variables)))
            # What the page says to take from one answer for the next.
            variables["REFRESH"] = answers[-1].get("tokens", {}).get("refreshToken", variables["REFRESH"])
    *good, bad = answers
    assert len(good) >= 10
    assert not [answer for answer in good if "code" in answer]
    assert good[0]["user"]["guest"] is True
    assert good[-2]["user"]["profile"] == {"level": "CEFR_LEVEL_B1", "goals": ["a job interview in May"]}
    assert good[-1]["user"]["profile"] == {"level": "CEFR_LEVEL_B1"}
    assert bad["code"] == "invalid_argument"
