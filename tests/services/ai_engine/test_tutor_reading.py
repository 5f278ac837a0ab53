"""Scenario files: what is wrong with one is said with its file and key."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from services.ai_engine.tutor.entry import ScenarioFileError
from services.ai_engine.tutor.reading import SHIPPED, read_everywhere, read_folder, read_script, read_scripts
from services.ai_engine.tutor.scene import Stage
from services.ai_engine.tutor.state import SceneState

EVERYWHERE = read_everywhere()


def small() -> dict[str, Any]:
    """The smallest scenario there can be."""
    return {
        "id": "tiny",
        "title": "Tiny",
        "level": "A1",
        "summary": "Say a colour.",
        "tutor_role": "a painter",
        "learner_role": "a guest",
        "persona": "a painter.",
        "setting": "a studio.",
        "goals": [{"id": "colour", "title": "Name a colour"}],
        "key_phrases": ["Red, please."],
        "opener": "Hello.",
        "closer": ["Goodbye.", "So long."],
        "slots": {"colour": {"values": {"red": ["read"], "blue": ["blew"]}}},
        "steps": [
            {
                "id": "colour",
                "goal": "colour",
                "ask": "Which colour?",
                "rephrase": "Red or blue?",
                "example": "Red, please.",
                "answers": [{"slot": "colour", "replies": "{colour}, fine."}],
            }
        ],
    }


def write(folder: Path, content: object, name: str = "tiny.yaml") -> Path:
    path = folder / name
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content), encoding="utf-8")
    return path


def test_the_smallest_scenario_is_read(tmp_path: Path) -> None:
    script = read_script(write(tmp_path, small()), EVERYWHERE)
    assert script.scenario.goals[0].id == "colour"
    assert script.scenario.language == "en"


def change(content: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """Sets the value at a dotted path; a missing value removes the key."""
    *way, last = path.split(".")
    target: Any = content
    for key in way:
        target = target[int(key)] if key.isdecimal() else target[key]
    if value is None:
        del target[last]
    else:
        target[last] = value
    return content


@pytest.mark.parametrize(
    ("path", "value", "key", "problem"),
    [
        ("closer", None, "closer", "missing"),
        ("opener", [], "opener", "list of texts"),
        ("level", "A7", "level", "A1"),
        ("levle", "A1", "levle", "not known"),
        ("title", 7, "title", "quotes"),
        ("goals", [], "goals", "at least one"),
        ("goals", [{"id": "colour", "title": "Name"}, {"id": "x", "title": "X"}], "goals[1]", "nothing reaches 'x'"),
        ("steps.0.goal", "fame", "steps[0].goal", "no goal 'fame'"),
        ("steps.0.answers", [{"slot": "size"}], "steps[0].answers[0]", "no slot 'size'"),
        ("steps.0.answers", [{"intent": "sing"}], "steps[0].answers[0]", "no intent 'sing'"),
        ("steps.0.answers", [{"intent": "agree", "words": 2}], "steps[0].answers[0]", "exactly one"),
        ("steps.0.answers", [{"slot": "colour", "replies": "{size}!"}], "steps[0].answers[0].replies", "{size}"),
        ("steps.0.answers", [{"intent": "agree", "sets": {"colour": "green"}}], "steps[0].answers[0]", "'green'"),
        ("steps.0.answers", [{"slot": "colour", "reaches": "no way"}], "steps[0].answers[0].reaches", "true or false"),
        ("steps.0.answers", [{"words": "three"}], "steps[0].answers[0].words", "whole number"),
        ("steps.0.ask", "What about {colour}?", "steps[0].ask", "without"),
        ("steps.0.only_if", {"size": ["big"]}, "steps[0].only_if.size", "no such slot"),
        ("steps.0.only_if", {"colour": ["green"]}, "steps[0].only_if.colour", "'green'"),
        ("slots.colour.kind", "smell", "slots.colour.kind", "list"),
        ("slots.colour.before", "shape", "slots.colour.before", "no slot 'shape'"),
        ("slots.colour.values", {True: ["on"]}, "slots.colour.values", "quotes"),
        ("intents", {"sing": {"examples": []}}, "intents.sing.examples", "list of texts"),
    ],
)
def test_what_is_wrong_is_named_with_file_and_key(
    tmp_path: Path, path: str, value: object, key: str, problem: str
) -> None:
    with pytest.raises(ScenarioFileError) as caught:
        read_script(write(tmp_path, change(small(), path, value)), EVERYWHERE)
    assert caught.value.metadata == {"file": "tiny.yaml", "key": key}
    assert problem in caught.value.message


@pytest.mark.parametrize("content", ["a: [", "- just\n- a list\n", "", "\x00"])
def test_a_file_that_is_no_scenario_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(ScenarioFileError, match=r"tiny\.yaml"):
        read_script(write(tmp_path, content), EVERYWHERE)


def test_two_files_may_not_share_an_id(tmp_path: Path) -> None:
    write(tmp_path, small(), "one.yaml")
    write(tmp_path, small(), "two.yaml")
    with pytest.raises(ScenarioFileError, match="another file"):
        read_folder(tmp_path, EVERYWHERE)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScenarioFileError, match="no such folder"):
        read_folder(tmp_path / "nowhere", EVERYWHERE)


def test_a_folder_of_ones_own_adds_scenarios_and_wins_over_the_shipped_ones(tmp_path: Path) -> None:
    write(tmp_path, small())
    write(tmp_path, {**small(), "id": "cafe"}, "cafe.yaml")
    scripts = read_scripts([tmp_path], EVERYWHERE)
    assert scripts["tiny"].scenario.title == "Tiny"
    assert scripts["cafe"].scenario.title == "Tiny"
    assert "hotel" in scripts


def test_the_shipped_folder_is_found_beside_the_code() -> None:
    assert (SHIPPED / "cafe.yaml").is_file()


def test_the_example_in_the_guide_can_be_played(tmp_path: Path) -> None:
    guide = (Path(__file__).parents[3] / "docs" / "scenarios.md").read_text(encoding="utf-8")
    script = read_script(write(tmp_path, guide.split("```yaml\n")[1].split("```")[0]), EVERYWHERE)
    stage = Stage(script, EVERYWHERE)
    played = stage.play(stage.open(SceneState(scenario="ice_cream")).state, "A van ill a one, please.")
    assert played.state.slots == {"flavour": "vanilla"}
    assert played.state.finished
