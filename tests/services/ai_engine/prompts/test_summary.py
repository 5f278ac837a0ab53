"""Long talks in few words: asked of a model, or picked."""

from collections.abc import AsyncIterator

import pytest

from mesh.errors import ProviderError
from services.ai_engine.adapters.beside import Ask, Wish, beside
from services.ai_engine.domain.roles import Learner, Line, ReplyPart, Summary, TalkSummarised, TokensUsed, TutorContext
from services.ai_engine.prompts.summary import picked
from services.ai_engine.prompts.tutor import TutorPrompt

SAID = (
    Line("learner", "Hello."),
    Line("tutor", "Hello! Where are you from?"),
    Line("learner", "I come from Porto and I work in a bakery."),
    Line("tutor", "How nice! What do you bake?"),
    Line("learner", "How do you say this word?"),
    Line("learner", "My sister will visit me in May with her 3 children."),
)


def test_what_people_tell_of_themselves_is_picked_in_order() -> None:
    assert picked("", SAID).startswith("I come from Porto and I work in a bakery.")
    assert picked("", SAID).endswith("My sister will visit me in May with her 3 children.")
    assert "What do you bake" not in picked("", SAID)


def test_what_was_picked_before_stays_while_it_tells_more() -> None:
    text = picked("", SAID)
    for number in range(60):
        text = picked(text, [Line("learner", f"Well, that is really quite good {'so ' * (number % 5)}thanks.")])
    assert len(text) <= 700
    assert "I come from Porto" in text


def test_nothing_said_is_nothing_picked() -> None:
    assert picked("", [Line("learner", "Yes."), Line("tutor", "Fine, then let us begin with it.")]) == ""


LONG = TutorContext(
    Learner(), "", tuple(SAID * 20), "What is my name?", summary=Summary("Earlier notes.", 10), first_line=10
)
PROMPT = TutorPrompt({}, budget=800).prompt(LONG)


async def parts_of(ask: Ask | None, *, corrections: bool = False) -> list[ReplyPart]:
    parts: AsyncIterator[ReplyPart] = beside(LONG, PROMPT, ask, corrections=corrections, source="test")
    return [part async for part in parts]


def summary_in(parts: list[ReplyPart]) -> Summary:
    (summarised,) = [part for part in parts if isinstance(part, TalkSummarised)]
    return summarised.summary


async def test_a_model_writes_the_summary_from_the_notes_and_the_lines() -> None:
    wishes: list[Wish] = []

    async def ask(wish: Wish) -> tuple[str, TokensUsed]:
        wishes.append(wish)
        return "The learner comes\nfrom Porto.", TokensUsed(50, 9)

    parts = await parts_of(ask)
    assert summary_in(parts) == Summary("The learner comes from Porto.", 10 + len(PROMPT.due))
    assert TokensUsed(50, 9) in parts
    (wish,) = wishes
    assert "Earlier notes." in wish.text
    assert wish.text.count("\n") == len(PROMPT.due) + 1


async def test_where_the_model_fails_it_is_picked() -> None:
    async def ask(wish: Wish) -> tuple[str, TokensUsed]:
        raise ProviderError("The endpoint is away.")

    assert "I come from Porto" in summary_in(await parts_of(ask)).text


async def test_without_a_model_to_ask_it_is_picked() -> None:
    assert "I come from Porto" in summary_in(await parts_of(None)).text


@pytest.mark.parametrize("lines", [0, 4])
async def test_a_talk_that_fits_is_not_summarised(lines: int) -> None:
    context = TutorContext(Learner(), "", SAID[:lines], "Hello.")
    prompt = TutorPrompt({}).prompt(context)
    parts = [part async for part in beside(context, prompt, None, corrections=False, source="test")]
    assert not any(isinstance(part, TalkSummarised) for part in parts)
