"""Reads role-plays from YAML, and says which file and key is wrong where one is."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import cast, get_args

from services.ai_engine.domain.roles import CefrLevel, Scenario, ScenarioGoal
from services.ai_engine.tutor.checks import complaints, missing_phrases
from services.ai_engine.tutor.entry import Entry, ScenarioFileError, load
from services.ai_engine.tutor.script import Answer, Everywhere, Intent, Script, Slot, SlotKind, SlotValue, Step

#: The role-plays that come with Vivavoce.
SHIPPED = Path(__file__).parent.parent / "scenarios"

_EVERYWHERE = "_everywhere.yaml"


def read_everywhere(folder: Path = SHIPPED) -> Everywhere:
    """Reads what holds in every scenario. Raises ScenarioFileError."""
    entry = load(folder / _EVERYWHERE)
    entry.allow("intents", "phrases")
    phrases = {name: phrase.texts() for name, phrase in entry.children("phrases").items()}
    everywhere = Everywhere(intents=_intents(entry), phrases=phrases)
    missing = missing_phrases(everywhere)
    if missing:
        raise ScenarioFileError(entry.file, "phrases", f"add {', '.join(missing)}")
    return everywhere


def read_scripts(folders: Sequence[Path], everywhere: Everywhere) -> dict[str, Script]:
    """Reads the shipped scenarios and those of further folders, which win where ids are the same.

    Blocks on files. Raises ScenarioFileError.
    """
    return {name: script for folder in (SHIPPED, *folders) for name, script in read_folder(folder, everywhere).items()}


def read_folder(folder: Path, everywhere: Everywhere) -> dict[str, Script]:
    """Reads every `*.yaml` of a folder whose name does not begin with "_". Raises ScenarioFileError."""
    if not folder.is_dir():
        raise ScenarioFileError(str(folder), "folder", "there is no such folder; give one with scenario files")
    scripts: dict[str, Script] = {}
    for path in sorted(folder.glob("*.yaml")):
        if path.name.startswith("_"):
            continue
        script = read_script(path, everywhere)
        if script.scenario.id in scripts:
            raise ScenarioFileError(path.name, "id", f"{script.scenario.id!r} is taken by another file")
        scripts[script.scenario.id] = script
    return scripts


def read_script(path: Path, everywhere: Everywhere) -> Script:
    """Reads and checks one scenario. Raises ScenarioFileError for the first thing that is wrong."""
    entry = load(path)
    entry.allow(
        "id", "title", "level", "language", "summary", "tutor_role", "learner_role", "persona", "setting", "goals",
        "key_phrases", "opener", "closer", "acks", "slots", "intents", "steps",
    )  # fmt: skip
    script = Script(
        scenario=_scenario(entry),
        persona=entry.text("persona"),
        setting=entry.text("setting"),
        opener=entry.child("opener").texts(),
        closer=entry.child("closer").texts(),
        steps=tuple(_step(step) for step in entry.listed("steps")),
        slots={name: _slot(name, slot) for name, slot in entry.children("slots", default=True).items()},
        intents=_intents(entry),
        acks=entry.optional_texts("acks"),
    )
    for key, problem in complaints(script, everywhere):
        raise ScenarioFileError(path.name, key, problem)
    return script


def _scenario(entry: Entry) -> Scenario:
    level = entry.text("level")
    if level not in get_args(CefrLevel):
        raise entry.child("level").wrong(f"should be one of {', '.join(get_args(CefrLevel))}")
    return Scenario(
        id=entry.text("id"),
        title=entry.text("title"),
        level=cast("CefrLevel", level),  # Checked against its members just above.
        language=entry.text("language", "en"),
        summary=entry.text("summary"),
        tutor_role=entry.text("tutor_role"),
        learner_role=entry.text("learner_role"),
        goals=tuple(ScenarioGoal(id=goal.text("id"), title=goal.text("title")) for goal in entry.listed("goals")),
        key_phrases=entry.child("key_phrases").texts(),
    )


def _intents(entry: Entry) -> dict[str, Intent]:
    return {name: _intent(name, intent) for name, intent in entry.children("intents", default=True).items()}


def _intent(name: str, entry: Entry) -> Intent:
    entry.allow("examples", "cues", "replies", "goal")
    return Intent(
        id=name,
        examples=entry.child("examples").texts(),
        cues=entry.optional_texts("cues"),
        replies=entry.optional_texts("replies"),
        goal=entry.text("goal", ""),
    )


def _slot(name: str, entry: Entry) -> Slot:
    entry.allow("kind", "values", "several", "units", "after", "most_words", "said", "before")
    kind = entry.text("kind", "list")
    if kind not in get_args(SlotKind):
        raise entry.child("kind").wrong(f"should be one of {', '.join(get_args(SlotKind))}")
    values = entry.children("values") if kind == "list" else {}
    return Slot(
        id=name,
        kind=cast("SlotKind", kind),  # Checked against its members just above.
        values=tuple(_value(value, one) for value, one in values.items()),
        several=entry.yes("several", default=False),
        units=entry.optional_texts("units"),
        after=entry.optional_texts("after"),
        most_words=entry.number("most_words", 3),
        said=entry.text("said", ""),
        before=entry.text("before", ""),
    )


def _value(name: str, entry: Entry) -> SlotValue:
    """A value is the list of ways it is heard, or a mapping with `heard` and facts."""
    if not isinstance(entry.value, dict):
        return SlotValue(name=name, heard=(name, *(entry.texts() if entry.value != [] else ())))
    facts = {key: entry.text(key) for key in entry.mapping() if key != "heard"}
    return SlotValue(name=name, heard=(name, *entry.optional_texts("heard")), facts=facts)


def _step(entry: Entry) -> Step:
    entry.allow("id", "ask", "rephrase", "example", "answers", "move_on", "goal", "only_if")
    return Step(
        id=entry.text("id"),
        ask=entry.child("ask").texts(),
        rephrase=entry.child("rephrase").texts(),
        example=entry.text("example"),
        answers=tuple(_answer(answer) for answer in entry.listed("answers")),
        move_on=entry.optional_texts("move_on"),
        goal=entry.text("goal", ""),
        only_if=_conditions(entry),
    )


def _conditions(entry: Entry) -> dict[str, tuple[str, ...]]:
    return {slot: values.texts() for slot, values in entry.children("only_if", default=True).items()}


def _answer(entry: Entry) -> Answer:
    entry.allow("slot", "intent", "words", "replies", "sets", "reaches")
    return Answer(
        slot=entry.text("slot", ""),
        intent=entry.text("intent", ""),
        words=entry.number("words", 0),
        replies=entry.optional_texts("replies"),
        sets={slot: value.as_text() for slot, value in entry.children("sets", default=True).items()},
        reaches=entry.yes("reaches", default=True),
    )


def scenarios(scripts: Iterable[Script]) -> tuple[Scenario, ...]:
    """What learners see of the scripts, easiest first."""
    return tuple(sorted((script.scenario for script in scripts), key=lambda one: (one.level, one.title)))
