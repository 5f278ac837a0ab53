"""`viva simulate`: lists, plays and judges scripted learners."""

import json
from pathlib import Path

from typer.testing import CliRunner

from cli.main import app

_runner = CliRunner()


def test_without_a_script_those_there_are_are_listed() -> None:
    result = _runner.invoke(app, ["simulate"])
    assert result.exit_code == 0
    assert "thinks_aloud" in result.output


def test_a_script_that_goes_as_it_should_is_reported_by_level() -> None:
    result = _runner.invoke(app, ["simulate", "order_a_coffee", "thinks_aloud", "--json"])
    assert result.exit_code == 0
    found = json.loads(result.output)
    assert (found["conversations"], found["failed"]) == (2, [])
    assert [level["level"] for level in found["levels"]] == ["A1", "B1", "all"]
    assert found["levels"][0]["false_cut_off_percent"] == 0
    assert 200 < found["levels"][0]["gap_ms"]["p50"] < 600


def test_a_script_that_does_not_is_told_and_fails_the_command(tmp_path: Path) -> None:
    path = tmp_path / "wants_too_much.yaml"
    path.write_text("title: Wants too much\nsteps: [{say: Tea.}]\nexpect: {gap_s: [0.0, 0.01]}\n", encoding="utf-8")
    result = _runner.invoke(app, ["simulate", str(path)])
    assert result.exit_code == 1
    assert "lies outside 0 to 0.01 s" in result.output


def test_many_varied_conversations_are_played_and_counted() -> None:
    result = _runner.invoke(app, ["simulate", "--all", "--n", "60", "--seed", "3", "--json"])
    assert result.exit_code == 0
    assert json.loads(result.output)["conversations"] == 60
