"""Scripts in YAML: what stands in them, and what is said of a mistake."""

from pathlib import Path

import pytest

from cli.simulation.reading import read_script
from cli.simulation.script import After, Cut, During, Pause, Say, Script, Still
from mesh.errors import InvalidFieldError, NotFoundError

_RIGHT = """
title: A learner
level: A2
steps:
  - say: [I would like, 0.8, a tea]
  - cut: 2.0
    during: 1.0
  - say: Thank you
    after: 0.5
expect:
  interrupted: 0
  gap_s: [0.2, 1.0]
"""


def read(folder: Path, text: str) -> Script:
    path = folder / "learner.yaml"
    path.write_text(text, encoding="utf-8")
    return read_script(path)


def test_steps_say_what_is_done_and_when(tmp_path: Path) -> None:
    script = read(tmp_path, _RIGHT)
    assert [type(step.when) for step in script.steps] == [Still, During, After]
    assert script.steps[0].act == Say(("I would like", Pause(0.8), "a tea"))
    assert script.steps[1].act == Cut(2.0)


def test_what_is_expected_is_taken_from_the_steps_where_the_script_leaves_it_open(tmp_path: Path) -> None:
    expected = read(tmp_path, _RIGHT).expected
    assert (expected.turns, expected.answers) == (("I would like a tea", "Thank you"), 2)
    assert (expected.interrupted, expected.gap_s) == (0, (0.2, 1.0))


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        ("level: A2", "level: A9", "learner.yaml: level: should be one of a1, a2, b1, b2, c1, c2"),
        ("title: A learner", "name: A learner", "learner.yaml: name: not known here; known are title"),
        ("title: A learner\n", "", "learner.yaml: title: is missing"),
        ("- cut: 2.0", "- cough: 9", "learner.yaml: steps[1].cough: should be a number from 0.1 to 2"),
        ("- cut: 2.0", "- cut: 99", "learner.yaml: steps[1].cut: should be a number from 0 to 25"),
        ("- cut: 2.0", "- sing: 1", "learner.yaml: steps[1]: should name one of say, backchannel"),
        ("- cut: 2.0", "- {cut: 2.0, stall: 1.0}", "this is not YAML"),
        ("    during: 1.0", "    during: 1.0\n    after: 1.0", "steps[1]: should say either during"),
        ("    during: 1.0", "    rate: 1.0", "steps[1].rate: not known here"),
        ("[I would like, 0.8, a tea]", "[I would like, 0.8]", "steps[0].say: should begin and end with text"),
        ("[I would like, 0.8, a tea]", "[I, {pause: 1, over: 1}, a]", "say[1].over: not known here; known are pause"),
        ("Thank you", "Thank you\n    wav: none.wav", "steps[2].wav: should name a recording beside this file"),
        ("gap_s: [0.2, 1.0]", "gap_s: [0.2]", "expect.gap_s: should be the least and the most"),
        ("interrupted: 0", "interupted: 0", "expect.interupted: not known here"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_its_remedy(
    tmp_path: Path, before: str, after: str, complaint: str
) -> None:
    assert before in _RIGHT
    with pytest.raises(InvalidFieldError) as refused:
        read(tmp_path, _RIGHT.replace(before, after))
    assert complaint in refused.value.message


def test_a_file_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="viva simulate"):
        read_script(tmp_path / "none.yaml")
