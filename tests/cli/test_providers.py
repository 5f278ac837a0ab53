import json

import pytest
from typer.testing import CliRunner

from cli.bench.engine import bench_engine
from cli.providers import app

STUBS = {
    "VIVAVOCE_AI_ENGINE_RECOGNIZERS": "instant",
    "VIVAVOCE_AI_ENGINE_LANGUAGE_MODELS": "instant,openai",
    "VIVAVOCE_AI_ENGINE_SYNTHESIZERS": "hibari",
    "VIVAVOCE_AI_ENGINE_OPENAI_API_KEY": "key-1",
    "VIVAVOCE_AI_ENGINE_OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in STUBS.items():
        monkeypatch.setenv(name, value)


def test_the_list_tells_what_each_provider_can_do_and_whether_it_costs() -> None:
    result = CliRunner().invoke(app, ["--json"])
    assert result.exit_code == 0, result.output
    listed = {(each["role"], each["name"]): each for each in json.loads(result.output)["providers"]}
    assert listed["language_model", "instant"]["default"]
    assert listed["language_model", "openai"]["paid"]
    assert listed["synthesizer", "hibari"]["voices"] == ["heart"]
    assert "key-1" not in result.output


def test_a_turn_with_a_provider_that_works_tells_how_long_it_took() -> None:
    result = CliRunner().invoke(app, ["test", "hibari", "--json"])
    assert result.exit_code == 0, result.output
    (turn,) = json.loads(result.output)["turns"]
    assert turn["ok"]
    assert turn["first_ms"] > 0


def test_a_turn_with_a_provider_that_is_not_there_says_what_to_do_and_fails() -> None:
    result = CliRunner().invoke(
        app, ["test", "compatible"], env={"VIVAVOCE_AI_ENGINE_COMPATIBLE_BASE_URL": "http://127.0.0.1:9"}
    )
    assert result.exit_code == 1
    assert "can't be reached" in " ".join(result.output.split())


def test_a_name_nobody_has_is_refused_with_those_there_are() -> None:
    result = CliRunner().invoke(app, ["test", "nobody"])
    assert result.exit_code != 0
    assert "hibari" in str(result.output)


def test_the_engine_s_own_share_is_measured_stage_by_stage() -> None:
    report = bench_engine(quick=True)
    stages = {figure.name: figure.measured["p50"] for figure in report.figures}
    assert len(stages) == 4
    # The goal is 5 ms, for a quiet machine; this one may be busy.
    assert stages["the engine's own share of a turn"] < 100
