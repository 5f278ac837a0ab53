"""The prompt of the language models: as reviewed, within its budget, from all that the tutor may know."""

from dataclasses import replace
from pathlib import Path

import pytest

from services.ai_engine.domain.roles import CorrectionStyle, Learner, Line, Summary, TutorContext
from services.ai_engine.prompts.prompt import Message
from services.ai_engine.prompts.tutor import TutorPrompt
from services.ai_engine.tutor.reading import SHIPPED, read_everywhere, read_folder

SCRIPTS = read_folder(SHIPPED, read_everywhere())
CONTEXT = TutorContext(
    learner=Learner(
        level="A1", native_language="ja", display_name="Yuki", goals=("to travel alone",), interests=("chess",)
    ),
    scenario_id="cafe",
    lines=(Line("tutor", "Hello!"), Line("learner", "Hi."), Line("learner", "Good morning.")),
    turn="A coffee please.",
    facts=("Has a dog called Kiro",),
    due_items=("croissant",),
    summary=Summary("They greeted each other.", 2),
    first_line=2,
)
SNAPSHOTS = Path(__file__).parent / "snapshots"


@pytest.mark.parametrize("brief", [False, True])
@pytest.mark.parametrize("scene", ["cafe", "free"])
def test_a_prompt_reads_as_reviewed(brief: bool, scene: str) -> None:
    """Each version has its own snapshots: who changes the wording raises the version, and reviews them."""
    context = CONTEXT if scene == "cafe" else replace(CONTEXT, scenario_id="")
    prompt = TutorPrompt(SCRIPTS, brief=brief).prompt(context)
    snapshot = SNAPSHOTS / f"{prompt.version}.{scene}.txt"
    assert snapshot.is_file(), f"review the new version, then keep it as {snapshot.name}"
    assert prompt.as_text() == snapshot.read_text(encoding="utf-8").rstrip("\n"), "a change of wording is a new version"


def test_the_chat_holds_instructions_history_and_turn_in_alternation() -> None:
    messages = TutorPrompt(SCRIPTS).prompt(CONTEXT).messages
    assert messages[1:] == (Message("assistant", "Hello!"), Message("user", "Hi. Good morning. A coffee please."))
    assert messages[0].role == "system"


def test_the_opening_gives_the_model_something_to_answer() -> None:
    messages = TutorPrompt(SCRIPTS).prompt(replace(CONTEXT, lines=(), turn="")).messages
    assert messages[-1].role == "user"
    assert messages[-1].content


@pytest.mark.parametrize("style", ["cards_only", "afterwards"])
def test_a_learner_who_wants_no_recasts_gets_none(style: CorrectionStyle) -> None:
    learner = replace(CONTEXT.learner, correction_style=style)
    assert "Do not correct" in TutorPrompt(SCRIPTS).system(replace(CONTEXT, learner=learner))


def test_the_tutor_speaks_the_language_that_is_learnt() -> None:
    learner = replace(CONTEXT.learner, target_language="de-AT")
    system = TutorPrompt(SCRIPTS).system(replace(CONTEXT, learner=learner))
    assert "You speak German, whatever they speak." in system


def test_who_stands_in_for_another_is_told_where_to_go_on() -> None:
    *_, turn, begun, go_on = TutorPrompt(SCRIPTS).prompt(replace(CONTEXT, begun="We have tea, ")).messages
    assert (turn.content[-16:], begun) == ("A coffee please.", Message("assistant", "We have tea, "))
    assert "Go on" in go_on.content


LONG = tuple(Line("tutor" if n % 2 else "learner", f"This is line number {n} of a long talk.") for n in range(200))


@pytest.mark.parametrize("budget", [600, 1000, 3000])
def test_a_long_talk_is_cut_to_the_budget_oldest_first(budget: int) -> None:
    prompt = TutorPrompt(SCRIPTS, budget=budget).prompt(replace(CONTEXT, lines=LONG))
    assert prompt.tokens <= budget
    said = [message.content for message in prompt.messages[1:-1]]
    assert said == [line.text for line in LONG[len(prompt.dropped) :]]


def test_more_is_summarised_than_must_be_so_that_the_next_prompts_begin_alike() -> None:
    tutor = TutorPrompt(SCRIPTS, budget=1200)
    prompt = tutor.prompt(replace(CONTEXT, lines=LONG[:60]))
    assert len(prompt.dropped) < len(prompt.due) < 60
    rest = replace(CONTEXT, lines=LONG[len(prompt.due) : 60])
    after = [tutor.prompt(replace(rest, lines=(*rest.lines, *LONG[60 : 60 + more]))) for more in range(6)]
    assert not any(each.due for each in after)
    assert {each.messages[1] for each in after} == {after[0].messages[1]}


def test_what_is_known_of_a_learner_never_fills_the_prompt() -> None:
    facts = tuple(f"Fact number {n}: {'long ' * 50}" for n in range(50))
    prompt = TutorPrompt(SCRIPTS, budget=1500).prompt(replace(CONTEXT, facts=facts, due_items=facts, lines=LONG))
    assert prompt.tokens <= 1500
    assert "Fact number 0" in prompt.messages[0].content
    assert LONG[-1].text in prompt.messages[-2].content
