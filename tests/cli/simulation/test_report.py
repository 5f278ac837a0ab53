"""What is told of many scripted conversations."""

import pytest

from cli.simulation.reading import FOLDER, read_script
from cli.simulation.report import Played, as_json, show
from cli.simulation.story import Story

_SCRIPT = read_script(FOLDER / "thinks_aloud_in_german.yaml")


def test_what_was_not_played_is_told_and_counts_neither_as_right_nor_as_wrong(
    capsys: pytest.CaptureFixture[str],
) -> None:
    played = [Played(_SCRIPT, Story(), ()), Played(_SCRIPT, Story(), (), unplayed="nothing there understands de")]
    found = as_json(played, "real", 1.0)
    assert (found["conversations"], found["failed"]) == (1, [])
    assert found["unplayed"] == [{"script": "thinks_aloud_in_german", "why": "nothing there understands de"}]
    show(played, "real", 1.0)
    assert "1 of 1 conversations went as they should" in (printed := capsys.readouterr().out)
    assert "was not played: nothing there understands de" in printed
