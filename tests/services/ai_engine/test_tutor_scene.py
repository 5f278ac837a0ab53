"""How the tutor answers a turn: what was said counts, the unexpected is met kindly, nothing is said twice in a row."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.ai_engine.tutor.reading import SHIPPED, read_everywhere, read_folder
from services.ai_engine.tutor.scene import Played, Stage
from services.ai_engine.tutor.state import SceneState, decoded

EVERYWHERE = read_everywhere()
STAGES = {name: Stage(script, EVERYWHERE) for name, script in read_folder(SHIPPED, EVERYWHERE).items()}
CAFE = STAGES["cafe"]


def after(*turns: str, stage: Stage = CAFE) -> Played:
    """The tutor's answer to the last of these turns."""
    played = stage.open(SceneState(scenario=stage.script.scenario.id))
    for turn in turns:
        played = stage.play(played.state, turn, tutor_last=" ".join(played.sentences))
    return played


def text(played: Played) -> str:
    return " ".join(played.sentences)


def test_the_opening_greets_and_asks_one_question() -> None:
    opening = text(CAFE.open(SceneState(scenario="cafe")))
    assert opening.count("?") == 1


def test_what_was_ordered_is_said_back() -> None:
    assert "cappuccino" in text(after("A large cappuccino, please.")).lower()


def test_a_size_stands_before_what_it_is_the_size_of() -> None:
    assert "a large cappuccino" in text(after("A large cappuccino, please.")).lower()


def test_several_things_in_one_turn_are_all_taken() -> None:
    played = after("A coffee and a croissant please, how much is it?")
    assert played.state.slots == {"drink": "coffee", "food": "croissant"}
    assert set(played.state.reached) == {"drink", "food", "price"}
    assert "three pounds" in text(played)


def test_an_early_answer_is_not_asked_for_again() -> None:
    played = after("A large tea to take away, please.")
    assert {"drink", "size", "place"} <= set(played.state.done)
    assert "take" not in played.sentences[-1]


def test_changing_ones_mind_replaces_the_value() -> None:
    played = after("A coffee, please.", "Actually, I'd like a tea instead.")
    assert played.state.slots["drink"] == "tea"
    assert "tea" in text(played).lower()


def test_the_last_of_two_values_counts_where_one_corrects_the_other() -> None:
    assert after("A coffee, no sorry, a tea please.").state.slots["drink"] == "tea"


def test_two_drinks_are_both_taken() -> None:
    assert after("A coffee and an orange juice, please.").state.slots["drink"] == "coffee and orange juice"


def test_taking_something_back_asks_for_it_again() -> None:
    played = after("A coffee, please.", "No, I don't want coffee.")
    assert "drink" not in played.state.slots
    assert "drink" not in played.state.done


def test_a_word_that_belongs_to_another_answer_changes_nothing() -> None:
    directions = STAGES["directions"]
    played = after(
        "I'm looking for the station.", "I'll walk.", "So I go straight on and turn left at the bank.", stage=directions
    )
    assert played.state.slots["place"] == "station"
    assert "check" in played.state.done


def test_refusing_is_fine_and_does_not_reach_the_goal() -> None:
    played = after("A water, please.", "No, nothing to eat, thank you.")
    assert "food" in played.state.done
    assert "food" not in played.state.reached


def test_a_question_to_the_tutor_is_answered_and_the_step_asked_again() -> None:
    played = after("What do you recommend?")
    assert len(played.sentences) == 2
    assert played.state.done == ()
    assert played.sentences[-1].endswith("?")


@pytest.mark.parametrize(
    "turn", ["Please repeat.", "Sorry, can you say that again?", "Pardon?", "What did you say?", "I didn't hear you."]
)
def test_repeating_asks_the_same_question_again_in_another_frame(turn: str) -> None:
    opening = CAFE.open(SceneState(scenario="cafe"))
    played = CAFE.play(opening.state, turn, tutor_last=text(opening))
    assert opening.sentences[-1] in text(played)
    assert text(played) != text(opening)


@pytest.mark.parametrize(
    "turn", ["I don't understand.", "Sorry, I not understand you.", "What do you mean?", "What does that mean?"]
)
def test_not_understanding_brings_other_words(turn: str) -> None:
    opening = CAFE.open(SceneState(scenario="cafe"))
    played = CAFE.play(opening.state, turn)
    assert played.sentences[-1] != opening.sentences[-1]
    assert played.state.tries == 0


@pytest.mark.parametrize("turn", ["How do I say that?", "How do you say this in English?", "What can I say?", "Help!"])
def test_asking_for_help_brings_an_example_sentence(turn: str) -> None:
    assert CAFE.script.steps[0].example in text(after(turn))


def test_the_tutor_says_honestly_what_it_is() -> None:
    assert "program" in text(after("Are you a robot?"))


def test_reprompts_escalate_from_other_words_to_an_example_to_going_on() -> None:
    first, second, third = after("fnord"), after("fnord", "blurb"), after("fnord", "blurb", "quux")
    assert first.state.done == ()
    assert CAFE.script.steps[0].example in text(second)
    assert third.state.done == ("drink",)
    assert third.state.reached == ()


def test_leaving_early_ends_kindly() -> None:
    played = after("I'm sorry, I have to go now. Goodbye!")
    assert played.state.finished


def test_after_the_end_the_tutor_stays_polite_and_finished() -> None:
    played = after("Goodbye!", "Hello?", "Hello?")
    assert played.state.finished
    assert played.sentences


def test_small_talk_is_no_answer_to_an_open_question() -> None:
    played = after("Hello, nice to meet you.", stage=STAGES["interview"])
    assert played.state.done == ()


def test_a_denial_gets_no_cheerful_praise() -> None:
    played = after(
        "I'm Anna.", "From Peru.", "I'm a nurse.", "No, I don't have hobbies.", stage=STAGES["introductions"]
    )
    assert played.sentences[0] in {*EVERYWHERE.phrases["noted"], *EVERYWHERE.phrases["declined"]}


def test_asking_what_a_thing_is_does_not_order_it() -> None:
    assert after("What is a cappuccino?").state.slots == {}


def test_questions_the_tutor_can_not_answer_never_cost_the_learner_a_step() -> None:
    played = after(*["Why do cats purr?", "Who built the pyramids?"] * 3)
    assert played.state.done == ()
    assert not played.state.finished


def test_a_question_that_mentions_a_value_changes_nothing() -> None:
    said = ("Smith.", "Two nights.", "A single room.", "A quiet one.", "At eight.", "Can you wake me up at six?")
    assert after(*said, stage=STAGES["hotel"]).state.slots["breakfast"] == "eight"


def test_the_tutor_knows_its_name_in_the_scene() -> None:
    assert "Mia" in text(after("What's your name?"))


def test_a_place_that_only_rhymes_is_not_taken_for_another() -> None:
    assert after("I want to go to the zoo.", stage=STAGES["directions"]).state.slots == {}


def test_an_early_side_question_reaches_its_goal() -> None:
    assert "price" in after("How much is a coffee?").state.reached


def test_an_open_answer_does_not_answer_later_questions_by_chance() -> None:
    played = after(
        "I studied economics and worked in sales.", "I'd like to work in a good team.", stage=STAGES["interview"]
    )
    assert "strength" not in played.state.done


def test_the_same_turn_in_the_same_state_gets_the_same_answer() -> None:
    state = after("A coffee, please.").state
    assert CAFE.play(state, "large") == CAFE.play(state, "large")


def test_a_recast_is_said_in_passing() -> None:
    opening = CAFE.open(SceneState(scenario="cafe"))
    played = CAFE.play(opening.state, "I goed to the gym.", recast="you went to the gym")
    assert "ou went to the gym" in played.sentences[0]


def test_a_recast_gives_way_where_the_reply_is_long() -> None:
    opening = CAFE.open(SceneState(scenario="cafe"))
    played = CAFE.play(opening.state, "I like tea, how much is it?", recast="you like tea")
    assert not any("ou like tea" in sentence for sentence in played.sentences)


speech = st.one_of(
    st.text(max_size=80),
    st.lists(
        st.sampled_from(
            [
                "a coffee",
                "no",
                "yes",
                "please",
                "not",
                "two",
                "at seven",
                "my name is",
                "how much",
                "repeat",
                "I want",
                "don't understand",
                "?",
                ",",
                ".",
                "and",
                "instead",
                "bye",
                "thank you",
                "from Japan",
                "...",
                "'",
                "[hm]",
                "(",
            ]
        ),
        max_size=12,
    ).map(" ".join),
)


@settings(max_examples=60, deadline=None)
@given(name=st.sampled_from(sorted(STAGES)), turns=st.lists(speech, min_size=1, max_size=8))
def test_whatever_is_said_gets_an_answer_that_differs_from_the_last(name: str, turns: list[str]) -> None:
    stage = STAGES[name]
    played = stage.open(SceneState(scenario=name))
    said = [text(played)]
    for turn in turns:
        played = stage.play(decoded(played.state.encoded(), name), turn, tutor_last=said[-1])
        said.append(text(played))
        assert said[-1].strip()
        assert "{" not in said[-1].replace(turn, "")
        assert len(played.state.encoded().encode()) <= 8192
    assert all(one != two for one, two in pairwise(said))


@settings(max_examples=25, deadline=None)
@given(name=st.sampled_from(sorted(STAGES)), turn=st.text(alphabet="bcdfgkxqz ", max_size=30))
def test_noise_alone_comes_to_the_end(name: str, turn: str) -> None:
    stage = STAGES[name]
    played = stage.open(SceneState(scenario=name))
    for _ in range(3 * len(stage.script.steps) + 2):
        played = stage.play(played.state, turn, tutor_last=text(played))
    assert played.state.finished
