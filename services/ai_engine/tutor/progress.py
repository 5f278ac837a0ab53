"""How a turn moves a role-play on: which steps it gets past, which values it sets, changes or takes back."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from services.ai_engine.tutor.hearing import Heard
from services.ai_engine.tutor.script import Answer, Script, Step
from services.ai_engine.tutor.slots import CHANGES_MIND
from services.ai_engine.tutor.state import SceneState

#: Intents about the talk itself rather than the scene.
ABOUT_THE_TALK = frozenset({"repeat", "slower", "not_understood", "help", "what_to_say"})
#: Likeness an intent needs to count where the tutor did not ask for it.
CERTAIN = 0.75
#: Failed tries after which the tutor goes on by itself.
MOST_TRIES = 3

#: Intents that mean nothing away from the step that asks for them.
_CONTEXTUAL = frozenset({"agree", "decline", "unsure", "thank", "greet"})
#: Intents that make a short turn no answer to an open question.
_NO_ANSWER = ABOUT_THE_TALK | {"greet", "how_are_you", "robot", "wait", "insult", "unsure", "goodbye"}
_SHORT_TURN = 7

#: Questions that ask for something rather than about it.
_REQUESTS = {("can", "i"), ("could", "i"), ("may", "i")}
#: Beginnings of questions about a thing, which do not ask for it ("what is a cappuccino?").
_ABOUT_A_THING = {("what", "is"), ("what", "are"), ("what", "does")}

#: A step that a turn gets past, and the answer that did it.
Passed = tuple[Step, Answer]


def next_step(script: Script, state: SceneState) -> Step | None:
    """The first step that is neither behind us nor beside the point; None at the end."""
    return next(iter(_waiting(script, state.done, state.slots)), None)


def passed(script: Script, state: SceneState, heard: Heard, current: Step | None) -> tuple[Passed, ...]:
    """The steps a turn gets past, the current one first."""
    waiting = _waiting(script, state.done, {**state.slots, **heard.slots.filled})
    found: list[Passed] = []
    for step in sorted(waiting, key=lambda one: one is not current):
        answer = next((one for one in step.answers if _fits(one, heard, current=step is current)), None)
        if answer is not None:
            found.append((step, answer))
    if found and found[0][1].words:
        # In a free answer the words of other steps stand by chance.
        return (found[0],)
    return tuple(found)


def without_doubtful(script: Script, heard: Heard) -> Heard:
    """Believes a likely mishearing only where nothing else was clearly said ("nothing to eat" is no toast)."""
    if heard.words[:2] in _ABOUT_A_THING:
        return _keeping(heard, set())
    telling = script.intents.keys() | ABOUT_THE_TALK | {"decline", "goodbye"}
    if not any(name in telling and likeness >= CERTAIN for name, likeness in heard.intents.items()):
        return heard
    return _keeping(heard, heard.slots.filled.keys() - heard.slots.guessed)


def without_awaited(script: Script, heard: Heard) -> Heard:
    """Leaves only the slots that no step asks for: nothing more is read out of a free answer."""
    return _keeping(heard, heard.slots.filled.keys() - {one.slot for step in script.steps for one in step.answers})


def filled(state: SceneState, heard: Heard, *, answers: bool) -> tuple[SceneState, list[str], list[str]]:
    """Takes over the slots of a turn; also tells which changed and which are new.

    A value said again while answering something else ("left at the bank") changes nothing by itself.
    """
    said = heard.slots.filled
    asks = heard.is_question and heard.words[:2] not in _REQUESTS
    minded = not (answers or asks or len(heard.words) > _SHORT_TURN) or not CHANGES_MIND.isdisjoint(heard.words)
    changed = [slot for slot, value in said.items() if minded and state.slots.get(slot, value) != value]
    new = [slot for slot in said if slot not in state.slots]
    taken = {slot: said[slot] for slot in (*changed, *new)}
    return replace(state, slots={**state.slots, **taken}), changed, new


def taken_back(script: Script, state: SceneState, heard: Heard) -> SceneState | None:
    """The state without what the learner no longer wants, to be asked for again; None where there is no such thing."""
    back = {slot for slot, value in heard.slots.declined.items() if state.slots.get(slot) == value}
    back -= heard.slots.filled.keys()
    if not back:
        return None
    open_again = {step.id for step in script.steps if any(answer.slot in back for answer in step.answers)}
    return replace(
        state,
        slots={slot: value for slot, value in state.slots.items() if slot not in back},
        done=tuple(step for step in state.done if step not in open_again),
        tries=0,
    )


def moved_on(state: SceneState, steps: Sequence[Passed], current: Step | None) -> SceneState:
    """Leaves the steps that were passed. A question that stays open meanwhile has been asked in vain once more."""
    tries = state.tries
    for step, answer in steps:
        state = left(state, step, reached=answer.reaches)
        state = replace(state, slots={**state.slots, **answer.sets})
    if not steps or current is None or current.id in state.done:
        return state
    if tries + 1 >= MOST_TRIES:
        return left(state, current, reached=False)
    return replace(state, tries=tries + 1)


def left(state: SceneState, step: Step, *, reached: bool) -> SceneState:
    """Puts a step behind us."""
    state = replace(state, done=(*state.done, step.id), tries=0, asides=0)
    return with_goal(state, step.goal) if reached else state


def with_goal(state: SceneState, goal: str) -> SceneState:
    """Adds a goal that was reached."""
    return replace(state, reached=(*state.reached, goal)) if goal and goal not in state.reached else state


def _waiting(script: Script, done: Sequence[str], slots: Mapping[str, str]) -> list[Step]:
    return [
        step
        for step in script.steps
        if step.id not in done and all(slots.get(slot) in values for slot, values in step.only_if.items())
    ]


def _fits(answer: Answer, heard: Heard, *, current: bool) -> bool:
    if answer.slot:
        return answer.slot in heard.slots.filled
    if answer.intent:
        likeness = heard.intents.get(answer.intent, 0.0)
        return likeness > 0 if current else likeness >= CERTAIN and answer.intent not in _CONTEXTUAL
    evades = len(heard.words) <= _SHORT_TURN and any(
        name in _NO_ANSWER and likeness >= CERTAIN for name, likeness in heard.intents.items()
    )
    return current and len(heard.words) >= answer.words and not heard.is_question and not evades


def _keeping(heard: Heard, slots: set[str]) -> Heard:
    kept = {slot: value for slot, value in heard.slots.filled.items() if slot in slots}
    return replace(heard, slots=replace(heard.slots, filled=kept))
