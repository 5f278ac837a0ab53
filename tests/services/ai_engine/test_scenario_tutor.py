"""The scenario tutor as a language model: text first, then state, then corrections, the same for the same context."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace

import pytest

from mesh.errors import NotFoundError
from services.ai_engine.domain.roles import (
    CorrectionFound,
    LanguageModel,
    Learner,
    Line,
    ReplyPart,
    StateAdvanced,
    TextDelta,
    TutorContext,
)
from services.ai_engine.providers import scenario_tutor
from services.ai_engine.providers.scenario_tutor import ScenarioTutor
from services.ai_engine.tutor.reading import read_everywhere, read_scripts

OPENING = TutorContext(learner=Learner(level="A1"), scenario_id="cafe", lines=(), turn="")


@pytest.fixture(scope="module")
def loaded() -> ScenarioTutor:
    return ScenarioTutor.load(read_scripts((), read_everywhere()))


@pytest.fixture
async def tutor(loaded: ScenarioTutor) -> AsyncIterator[ScenarioTutor]:
    fresh = ScenarioTutor(loaded._stages, loaded._check)
    try:
        yield fresh
    finally:
        await fresh.aclose()


async def parts_of(tutor: LanguageModel, context: TutorContext) -> list[ReplyPart]:
    return [part async for part in tutor.reply(context)]


def text_of(parts: list[ReplyPart]) -> str:
    return "".join(part.text for part in parts if isinstance(part, TextDelta))


def state_of(parts: list[ReplyPart]) -> StateAdvanced:
    (state,) = (part for part in parts if isinstance(part, StateAdvanced))
    return state


async def test_a_conversation_runs_from_the_opening_to_the_end(tutor: ScenarioTutor) -> None:
    parts = await parts_of(tutor, OPENING)
    assert "Corner Café" in text_of(parts)
    for turn in ("A small coffee please.", "A muffin.", "For here.", "By card."):
        lines = (Line("tutor", text_of(parts)),)
        parts = await parts_of(tutor, replace(OPENING, lines=lines, turn=turn, state=state_of(parts).state))
    assert state_of(parts).finished
    assert set(state_of(parts).reached_goal_ids) == {"drink", "food", "price"}
    assert state_of(parts).goal_count == 3


async def test_the_same_context_gives_the_same_reply(tutor: ScenarioTutor) -> None:
    context = replace(OPENING, lines=(Line("tutor", "Hello!"),), turn="I goed to the market, a tea please.")
    assert await parts_of(tutor, context) == await parts_of(tutor, context)


async def test_text_comes_first_then_the_state_then_the_corrections(tutor: ScenarioTutor) -> None:
    context = replace(OPENING, lines=(Line("tutor", "Hello!"),), turn="She don't like coffee.")
    kinds = [type(part) for part in await parts_of(tutor, context)]
    assert kinds == sorted(kinds, key=[TextDelta, StateAdvanced, CorrectionFound].index)
    assert kinds[-1] is CorrectionFound


async def test_the_first_slip_is_told_though_the_checker_loads_only_then(
    tutor: ScenarioTutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scenario_tutor, "_CHECK_DEADLINE_S", 0.0)
    context = replace(OPENING, lines=(Line("tutor", "Hello!"),), turn="She don't like coffee.")
    assert any(isinstance(part, CorrectionFound) for part in await parts_of(tutor, context))


@pytest.mark.parametrize(("style", "said"), [("recast", True), ("cards_only", False), ("afterwards", False)])
async def test_only_the_recast_style_says_it_aloud(tutor: ScenarioTutor, style: str, said: bool) -> None:
    learner = replace(OPENING.learner, correction_style=style)  # type: ignore[arg-type]  # A literal, by parametrize.
    context = replace(OPENING, learner=learner, lines=(Line("tutor", "Hello!"),), turn="I goed to the gym yesterday.")
    parts = await parts_of(tutor, context)
    assert ("ou went to the gym yesterday" in text_of(parts)) is said
    assert any(isinstance(part, CorrectionFound) and part.better == "went" for part in parts)


async def test_a_broken_state_starts_the_scene_again(tutor: ScenarioTutor) -> None:
    context = replace(OPENING, lines=(Line("tutor", "Hello!"),), turn="A tea, please.", state='{"scenario":')
    assert "tea" in text_of(await parts_of(tutor, context)).lower()


async def test_an_unknown_scenario_is_named_with_those_there_are(tutor: ScenarioTutor) -> None:
    with pytest.raises(NotFoundError, match="cafe") as caught:
        await parts_of(tutor, replace(OPENING, scenario_id="moon"))
    assert caught.value.field == "scenario_id"


async def test_no_scenario_is_small_talk(tutor: ScenarioTutor) -> None:
    parts = await parts_of(tutor, replace(OPENING, scenario_id=""))
    assert '"small_talk"' in state_of(parts).state


async def test_the_reply_differs_from_what_was_heard_last(tutor: ScenarioTutor) -> None:
    parts = await parts_of(tutor, OPENING)
    for _ in range(4):
        heard = text_of(parts)
        context = replace(OPENING, lines=(Line("tutor", heard),), turn="Pardon?", state=state_of(parts).state)
        parts = await parts_of(tutor, context)
        assert text_of(parts) != heard


async def test_many_learners_at_once_are_all_answered(tutor: ScenarioTutor) -> None:
    contexts = [replace(OPENING, lines=(Line("tutor", "Hi"),), turn=f"{n} coffees please") for n in range(40)]
    replies = await asyncio.gather(*(parts_of(tutor, context) for context in contexts))
    assert all("coffee" in text_of(parts).lower() for parts in replies)


async def test_closing_a_reply_early_leaves_nothing_running(tutor: ScenarioTutor) -> None:
    before = asyncio.all_tasks()
    reply = tutor.reply(OPENING)
    async with aclosing(reply):
        async for _ in reply:
            break
    assert asyncio.all_tasks() == before


def test_the_scenarios_are_listed_easiest_first(loaded: ScenarioTutor) -> None:
    levels = [scenario.level for scenario in loaded.scenarios]
    assert levels == sorted(levels)
    assert len(levels) >= 8
    assert all(scenario.goals and scenario.key_phrases and scenario.summary for scenario in loaded.scenarios)


def test_the_label_says_that_it_is_no_language_model() -> None:
    assert "not a language model" in ScenarioTutor.capabilities.label
