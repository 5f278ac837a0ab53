"""Checks that a script can be played to its end: every name it uses exists, every goal can be reached."""

from collections.abc import Iterator

from services.ai_engine.tutor.phrasing import places
from services.ai_engine.tutor.script import Answer, Everywhere, Script, Step

#: Stock phrases the rules speak, which `_everywhere.yaml` has to hold.
STOCK_PHRASES = (
    "acks", "after", "agreed", "changed", "declined", "example", "goodbye", "help", "lets_see", "moved_on",
    "not_caught", "not_understood", "noted", "off_topic", "once_more", "recast", "repeat", "silence", "slower",
    "unknown_question", "unsure",
)  # fmt: skip


def missing_phrases(everywhere: Everywhere) -> list[str]:
    """The stock phrases that are not there, or have fewer than two variants."""
    return [name for name in STOCK_PHRASES if len(everywhere.phrases.get(name, ())) < 2]


def complaints(script: Script, everywhere: Everywhere) -> Iterator[tuple[str, str]]:
    """Everything wrong with a script, each as its key and the problem."""
    for name, slot in script.slots.items():
        if slot.before and slot.before not in script.slots:
            yield f"slots.{name}.before", f"there is no slot {slot.before!r}"
    yield from _steps(script, everywhere)
    yield from _goals(script)
    yield from _lines(script)


def _steps(script: Script, everywhere: Everywhere) -> Iterator[tuple[str, str]]:
    ids = [step.id for step in script.steps]
    for index, step in enumerate(script.steps):
        key = f"steps[{index}]"
        if ids.count(step.id) > 1:
            yield f"{key}.id", f"{step.id!r} is used twice"
        for slot, values in step.only_if.items():
            if slot not in script.slots:
                yield f"{key}.only_if.{slot}", "there is no such slot"
            elif unknown := _unknown_values(script, slot, values):
                yield f"{key}.only_if.{slot}", f"the slot has no value {unknown[0]!r}"
        for number, answer in enumerate(step.answers):
            for problem in _answer(script, everywhere, answer):
                yield f"{key}.answers[{number}]", problem


def _answer(script: Script, everywhere: Everywhere, answer: Answer) -> Iterator[str]:
    if sum((bool(answer.slot), bool(answer.intent), bool(answer.words))) != 1:
        yield "give exactly one of slot, intent and words"
    if answer.slot and answer.slot not in script.slots:
        yield f"there is no slot {answer.slot!r}"
    if answer.intent and answer.intent not in script.intents and answer.intent not in everywhere.intents:
        yield f"there is no intent {answer.intent!r}"
    for slot, value in answer.sets.items():
        if slot not in script.slots:
            yield f"there is no slot {slot!r} to set"
        elif _unknown_values(script, slot, (value,)):
            yield f"the slot {slot!r} has no value {value!r}"


def _unknown_values(script: Script, slot: str, values: tuple[str, ...]) -> list[str]:
    if script.slots[slot].kind != "list":
        return []
    known = {value.name for value in script.slots[slot].values}
    return [value for value in values if value not in known]


def _goals(script: Script) -> Iterator[tuple[str, str]]:
    goals = {goal.id for goal in script.scenario.goals}
    by_step = {step.goal for step in script.steps if any(answer.reaches for answer in step.answers)}
    by_intent = {intent.goal for intent in script.intents.values() if intent.replies}
    for step_index, step in enumerate(script.steps):
        if step.goal and step.goal not in goals:
            yield f"steps[{step_index}].goal", f"there is no goal {step.goal!r}"
    for name, intent in script.intents.items():
        if intent.goal and intent.goal not in goals:
            yield f"intents.{name}.goal", f"there is no goal {intent.goal!r}"
    for index, goal in enumerate(script.scenario.goals):
        if goal.id not in by_step | by_intent:
            yield f"goals[{index}]", f"nothing reaches {goal.id!r}; name it as the goal of a step or an intent"


def _lines(script: Script) -> Iterator[tuple[str, str]]:
    """Each set of variants needs one that can always be filled, and no variant may use an unknown name."""
    known = _known_places(script)
    always = {"opener": script.opener, "closer": script.closer}
    sometimes = {f"intents.{name}.replies": intent.replies for name, intent in script.intents.items()}
    for index, step in enumerate(script.steps):
        always |= {f"steps[{index}].ask": step.ask, f"steps[{index}].rephrase": step.rephrase}
        sometimes |= _answer_lines(index, step)
    for key, variants in (always | sometimes).items():
        unknown = sorted(set().union(*(places(one) for one in variants)) - known)
        if unknown:
            yield key, f"there is no slot or fact {{{unknown[0]}}}"
    for key, variants in always.items():
        if all(places(one) for one in variants):
            yield key, "add a variant without {…}, for when nothing is known yet"


def _answer_lines(index: int, step: Step) -> dict[str, tuple[str, ...]]:
    lines = {f"steps[{index}].answers[{number}].replies": one.replies for number, one in enumerate(step.answers)}
    return lines | {f"steps[{index}].move_on": step.move_on}


def _known_places(script: Script) -> set[str]:
    known = {*script.slots, "learner", "tutor"}
    for slot in script.slots.values():
        known |= {f"{slot.id}.{fact}" for value in slot.values for fact in value.facts}
    return known
