"""`viva doctor` on a machine that is well, and on one that is not."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import checkup
from cli.main import app


def test_a_machine_that_is_well_speaks_understands_itself_and_keeps_its_secrets(tmp_path: Path) -> None:
    secret = {"VIVAVOCE_AI_ENGINE_OPENAI_API_KEY": "sk-very-secret"}
    result = CliRunner().invoke(app, ["doctor", "--json", "--data-dir", str(tmp_path)], env=secret)
    told = json.loads(result.stdout)
    states = {finding["name"]: finding["state"] for finding in told["findings"]}
    assert (result.exit_code, told["healthy"]) == (0, True)
    assert (states["Models"], states["Speech"], states["Stores"]) == ("right", "right", "right")
    assert "openai_api_key: set" in [finding["found"] for finding in told["findings"]]
    assert "very-secret" not in result.output


def test_each_line_that_is_wrong_says_what_mends_it(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        app, ["doctor", "--data-dir", str(tmp_path)], env={"VIVAVOCE_MODELS_DIR": str(tmp_path / "none")}
    )
    assert result.exit_code == 1
    assert "✗ Models" in result.stdout
    assert "Run: viva models fetch" in result.stdout
    assert "✗ Speech" in result.stdout


def test_a_store_that_is_away_is_named_without_its_password(tmp_path: Path) -> None:
    away = {"VIVAVOCE_HISTORY_DATABASE_URL": "postgresql+psycopg2://viva:pass-word@127.0.0.1:1/history"}
    result = CliRunner().invoke(app, ["doctor", "--data-dir", str(tmp_path)], env=away)
    assert result.exit_code == 1
    assert "✗ Stores" in result.stdout
    assert "history: postgresql does not answer" in result.stdout
    assert "VIVAVOCE_HISTORY_DATABASE_URL" in result.stdout
    assert "pass-word" not in result.output


@pytest.mark.parametrize(
    ("environment", "state", "found"),
    [
        ({}, "right", "open to this machine only"),
        ({"VIVAVOCE_EDGE_HOST": "0.0.0.0"}, "warning", "without TLS"),
        ({"VIVAVOCE_EDGE_HOST": "0.0.0.0", "VIVAVOCE_EDGE_TRUSTED_PROXIES": "10.0.0.0/8"}, "right", "trusted prox"),
        ({"VIVAVOCE_EDGE_ALLOWED_ORIGINS": "*"}, "wrong", "VIVAVOCE_EDGE_ALLOWED_ORIGINS"),
        ({"VIVAVOCE_EDGE_CERTIFICATE": "/nowhere.pem"}, "wrong", "can't be read"),
    ],
)
def test_the_doors_are_looked_at(
    environment: dict[str, str], state: str, found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    (finding,) = checkup.doors()
    assert finding.state == state
    assert found in finding.found
