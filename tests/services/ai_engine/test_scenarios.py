"""Each shipped scenario is finished by learners who speak in their own way, through a recogniser that mishears."""

from itertools import pairwise

import pytest

from services.ai_engine.tutor.phrasing import places
from services.ai_engine.tutor.reading import SHIPPED, read_everywhere, read_folder
from services.ai_engine.tutor.scene import Stage
from services.ai_engine.tutor.script import Script
from services.ai_engine.tutor.state import SceneState

EVERYWHERE = read_everywhere()
SCRIPTS = read_folder(SHIPPED, EVERYWHERE)

#: Scenario to learners; a learner is what they say, turn by turn.
LEARNERS: dict[str, list[list[str]]] = {
    "cafe": [
        ["Hi, can I have a coffee please?", "A large one.", "And a croissant please.", "To take away.", "By card."],
        ["A cup of chino please.", "Medium.", "I take a cross on.", "I eat it here.", "Can I pay with credit card?"],
        ["A tea and a sandwich, how much is it?", "Small please.", "For here.", "Cash."],
        ["I would like an orange juice.", "big", "No, nothing to eat, thank you.", "to go", "I pay with my phone."],
        ["What do you recommend?", "Okay, a cappuccino.", "A small one.", "Do you have a menu?", "Some cake.",
         "I want to sit here.", "Here you are."],
    ],
    "introductions": [
        ["My name is Yuki.", "I'm from Japan.", "I'm a student.", "I like swimming.", "I need it for my job."],
        ["Hello, I am Carlos and I come from Mexico.", "I work in a bank.", "I like to play football. And you?",
         "For travelling."],
        ["Fatima.", "I from Morocco.", "I don't work, I look after my children.", "cooking and reading",
         "To speak with my family in London."],
        ["you can call me Lee", "Seoul", "I am software developer", "play computer games", "It is useful."],
    ],
    "directions": [
        ["Excuse me, how do I get to the train station?", "I want to walk.", "So I go straight on and turn left.",
         "No, thank you very much."],
        ["Hello, I am looking for the museum.", "By boss please.", "Turn right at the church.", "Thanks a lot!"],
        ["Where is the nearest farmacy?", "Is it far?", "Okay, on foot.", "Cross the street and then turn left, yes?",
         "Thank you for your help."],
        ["I need a super market", "I have my bike.", "yes", "no that's all"],
    ],
    "hotel": [
        ["Good evening, I have a reservation.", "My name is Maria Lopez.", "Two nights.", "A double room please.",
         "A quiet room.", "At eight o'clock.", "No, thank you."],
        ["Hello, the name is Chen.", "for three knights", "a single", "I like the view of the river", "7:30 please",
         "What's the wifi password?", "Thank you, that's all."],
        ["Smith", "only one night", "two beds please", "I don't mind.", "no breakfast", "When do I have to check out?",
         "No more questions."],
    ],
    "shopping": [
        ["I'd like to return this jacket.", "It's too small.", "I bought it last week.", "Yes, here is the receipt.",
         "I want my money back.", "No, that's all, thanks."],
        ["Hello, I bought here some shoes.", "There is a hole in it.", "three days ago", "I have lost the receipt.",
         "Do you have it in another size?", "Another size please.", "no thank you"],
        ["It is about a t-shirt", "I don't like it, it was a gift.", "Yesterday.", "no", "a vulture", "no, goodbye"],
    ],
    "doctor": [
        ["I have a sore throat and a cough.", "It started three days ago.", "It's very bad at night.",
         "No, I'm not allergic to anything.", "Should I stay at home?", "No.", "On Thursday."],
        ["I don't feel well. I have fever.", "since yesterday", "a little", "I am allergic to pencil in.", "no thanks",
         "next week"],
        ["My back hurts.", "For about two weeks.", "it is strong", "No.", "How often should I take it?",
         "Okay, thank you.", "Monday morning is good."],
    ],
    "small_talk": [
        ["It was good, thanks.", "I went to the cinema with my brother.", "Only my brother.", "I love pizza.",
         "I would like to go to New Zealand.", "I want to learn the guitar."],
        ["I was very busy at work. And you?", "I stayed home and cleaned the house.", "alone", "Sushi and ramen.",
         "Maybe Canada.", "We are going to move to a new flat."],
        ["Tired.", "On Saturday we made a barbecue.", "with friends", "my favourite food is mole", "Italy",
         "Can we talk about something else?"],
    ],
    "interview": [
        ["I studied economics and I've been working in sales for three years.",
         "I'd like to work in a small team where I can learn.", "I'm well organised and I learn quickly.",
         "Once a customer was very angry, so I listened and offered a solution.",
         "I want to be more confident in presentations.", "I could start next month.", "How big is the team?",
         "No, thank you."],
        ["I am an engineer from Spain and I have worked five years in a car company.",
         "Because your products are very innovative.", "I think I am a team player.",
         "My boss wanted to finish a project too early, but I explained him the risks.",
         "Sometimes I am a little impatient.", "In september.", "Can I work from home?", "That's all, thanks."],
    ],
    "flat": [
        ["How much is the rent?", "I would live here alone.", "I work as an engineer.",
         "Would it be possible to paint the walls?", "Yes, I'd like to take it.",
         "At the beginning of next month."],
        ["Are the bills included?", "with my girlfriend", "I am a student at the university",
         "I have a dog, is that okay?", "I need to think about it.", "in October"],
        ["Is heating included, and is it a quiet area?", "No, with two friends.", "We are both nurses.",
         "No, everything is fine.", "I take it!", "as soon as possible"],
    ],
}  # fmt: skip
CASES = [
    pytest.param(name, turns, id=f"{name}-{index}")
    for name, learners in LEARNERS.items()
    for index, turns in enumerate(learners)
]


def perform(script: Script, turns: list[str]) -> tuple[SceneState, list[str]]:
    """Plays until the scene is over; returns where it ended and everything the tutor said."""
    stage = Stage(script, EVERYWHERE)
    played = stage.open(SceneState(scenario=script.scenario.id))
    said = [" ".join(played.sentences)]
    for turn in turns:
        played = stage.play(played.state, turn, tutor_last=said[-1])
        said.append(" ".join(played.sentences))
    return played.state, said


@pytest.mark.parametrize(("name", "turns"), CASES)
def test_a_learner_finishes_the_scenario(name: str, turns: list[str]) -> None:
    state, said = perform(SCRIPTS[name], turns)
    assert state.finished, said
    assert 4 <= len(turns) <= 10


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_first_learner_reaches_every_goal(name: str) -> None:
    state, said = perform(SCRIPTS[name], LEARNERS[name][0])
    assert set(state.reached) == {goal.id for goal in SCRIPTS[name].scenario.goals}, said


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_examples_the_tutor_gives_answer_its_questions(name: str) -> None:
    script = SCRIPTS[name]
    stage = Stage(script, EVERYWHERE)
    for index, step in enumerate(script.steps):
        slots = {slot: values[0] for slot, values in step.only_if.items()}
        state = SceneState(scenario=name, done=tuple(one.id for one in script.steps[:index]), turn=index, slots=slots)
        played = stage.play(state, step.example)
        left = step.id in played.state.done or len(played.state.reached) > 0 or played.state.asides > 0
        assert left, (step.id, played.sentences)


@pytest.mark.parametrize("name", SCRIPTS)
def test_silence_and_noise_never_end_in_a_dead_end(name: str) -> None:
    script = SCRIPTS[name]
    state, said = perform(script, ["", "blah fnord", "[BLANK_AUDIO]"] * (len(script.steps) + 1))
    assert state.finished, said
    assert all(one != two for one, two in pairwise(said))


@pytest.mark.parametrize("name", SCRIPTS)
def test_nothing_the_tutor_says_shows_its_template(name: str) -> None:
    for turns in LEARNERS[name]:
        _, said = perform(SCRIPTS[name], turns)
        assert not any(places(line) or "{" in line or "  " in line for line in said)


def test_the_levels_from_a1_to_b2_are_there() -> None:
    assert len(SCRIPTS) >= 8
    assert {script.scenario.level for script in SCRIPTS.values()} >= {"A1", "A2", "B1", "B2"}


@pytest.mark.parametrize("name", SCRIPTS)
def test_replies_are_short_enough_to_be_spoken(name: str) -> None:
    for turns in LEARNERS[name]:
        _, said = perform(SCRIPTS[name], turns)
        lengths = sorted(len(line.split()) for line in said)
        assert lengths[len(lengths) // 2] <= 25
        assert lengths[-1] <= 50
