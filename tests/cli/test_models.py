from pathlib import Path

from typer.testing import CliRunner

from cli.models import app

_RUN = CliRunner()


def test_list_names_every_licence() -> None:
    shown = _RUN.invoke(app, ["list"], env={"COLUMNS": "200"})
    assert shown.exit_code == 0
    for word in ("whisper", "smart_turn", "silero", "llama", "MIT", "BSD-2-Clause", "Apache-2.0"):
        assert word in shown.output


def test_verify_fails_on_an_empty_folder_and_says_what_to_run(tmp_path: Path) -> None:
    shown = _RUN.invoke(app, ["verify", "--folder", str(tmp_path)])
    assert shown.exit_code == 1
    assert "viva models fetch" in shown.output


def test_verify_is_content_with_fetched_models() -> None:
    shown = _RUN.invoke(app, ["verify"])
    assert shown.exit_code == 0, shown.output


def test_fetch_leaves_present_models_alone() -> None:
    shown = _RUN.invoke(app, ["fetch"])
    assert shown.exit_code == 0
    assert shown.output.count("already there") == 3


def test_fetch_tells_a_failure_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    shown = _RUN.invoke(app, ["fetch", "--folder", str(tmp_path / "taken")])
    assert shown.exit_code == 1
    assert "VIVAVOCE_MODELS_DIR" in shown.output
    assert "Traceback" not in shown.output
