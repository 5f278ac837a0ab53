"""Intents and slots are found in words that no example holds, and not found where they were not meant."""

import pytest

from services.ai_engine.tutor.intents import IntentMatcher
from services.ai_engine.tutor.reading import SHIPPED, read_everywhere, read_folder
from services.ai_engine.tutor.slots import Found, find
from services.ai_engine.tutor.words import clauses, normalised, tokens

EVERYWHERE = read_everywhere()
SCRIPTS = read_folder(SHIPPED, EVERYWHERE)
MATCHERS = {name: IntentMatcher({**EVERYWHERE.intents, **script.intents}) for name, script in SCRIPTS.items()}


@pytest.mark.parametrize(
    ("scenario", "turn", "intent"),
    [
        ("cafe", "Would you repeat that for me, please?", "repeat"),
        ("cafe", "Say it again please", "repeat"),
        ("cafe", "Could you please speak a bit more slowly?", "slower"),
        ("cafe", "Sorry, I really don't understand this", "not_understood"),
        ("cafe", "how do I say this thing in English", "help"),
        ("cafe", "What should I say now?", "what_to_say"),
        ("cafe", "What would you recommend to me?", "recommend"),
        ("cafe", "what can you recomend", "recommend"),
        ("cafe", "And how much does a coffee cost?", "price"),
        ("cafe", "Have you got a menu?", "menu"),
        ("cafe", "Are you a real human being?", "robot"),
        ("hotel", "Is there wi-fi in my room?", "wifi"),
        ("hotel", "where can I park the car", "parking"),
        ("hotel", "I've got a booking for tonight", "reservation"),
        ("doctor", "Is it something serious?", "serious"),
        ("doctor", "How many times a day should I take them?", "how_take"),
        ("interview", "Would it be possible to work from home sometimes?", "ask_hours"),
        ("interview", "May I ask about the salary?", "ask_salary"),
        ("flat", "Is heating included in the rent?", "ask_bills"),
        ("flat", "I'd like to think about it for a day", "think_over"),
        ("flat", "Great, I'd love to take it", "take_it"),
        ("directions", "How long does it take to get there?", "far"),
    ],
)
def test_an_intent_is_found_in_words_of_ones_own(scenario: str, turn: str, intent: str) -> None:
    assert intent in MATCHERS[scenario].heard(tokens(turn))


@pytest.mark.parametrize("scenario", sorted(SCRIPTS))
@pytest.mark.parametrize(
    "turn", ["My grandmother collects old stamps", "The moon is far away from my cat", "Yesterday it was windy in Rome"]
)
def test_no_intent_of_the_talk_itself_is_found_in_other_talk(scenario: str, turn: str) -> None:
    about = {"repeat", "slower", "not_understood", "help", "what_to_say", "goodbye", "decline"}
    assert not about & MATCHERS[scenario].heard(tokens(turn)).keys()


@pytest.mark.parametrize("name", sorted(EVERYWHERE.intents))
def test_each_example_is_found_as_its_own_intent(name: str) -> None:
    matcher = IntentMatcher(EVERYWHERE.intents)
    for example in EVERYWHERE.intents[name].examples:
        assert name in matcher.heard(tokens(example)), example


def found(scenario: str, turn: str, awaited: str = "") -> Found:
    return find(SCRIPTS[scenario].slots.values(), tokens(turn), turn, awaited)


@pytest.mark.parametrize(
    ("scenario", "turn", "awaited", "slots"),
    [
        ("cafe", "I'd like two coffees", "drink", {"drink": "coffee"}),
        ("cafe", "A cuppacino please", "drink", {"drink": "cappuccino"}),
        ("cafe", "not coffee, tea", "drink", {"drink": "tea"}),
        ("cafe", "tea instead of coffee", "drink", {"drink": "tea"}),
        ("cafe", "waiter, please", "", {}),
        ("hotel", "for to nights", "nights", {"nights": "two"}),
        ("hotel", "tree", "nights", {"nights": "three"}),
        ("hotel", "twenty-one nights please", "", {"nights": "twenty-one"}),
        ("hotel", "a night", "nights", {"nights": "one"}),
        ("hotel", "at half past seven", "", {"breakfast": "half past seven"}),
        ("hotel", "730 please", "breakfast", {"breakfast": "seven thirty"}),
        ("hotel", "7:30 p.m.", "breakfast", {"breakfast": "7:30 pm"}),
        ("hotel", "at 8 o'clock", "nights", {"breakfast": "eight o'clock"}),
        ("hotel", "the name's Chen", "name", {"name": "Chen"}),
        ("introductions", "I am happy to meet you", "name", {}),
        ("introductions", "I'm José, from São Paulo.", "name", {"name": "José", "origin": "São Paulo"}),
        ("introductions", "I'm tired", "name", {}),
    ],
)
def test_slots_are_read_as_they_were_meant(scenario: str, turn: str, awaited: str, slots: dict[str, str]) -> None:
    assert found(scenario, turn, awaited).filled == slots


def test_what_was_turned_down_is_known() -> None:
    assert found("cafe", "I don't want coffee").declined == {"drink": "coffee"}


def test_contractions_fillers_and_remarks_of_the_recogniser_are_evened_out() -> None:
    assert normalised("Um, I'd like… [coughs] THE caf\u00e9's Bill!") == "i would like the cafe bill"


def test_a_turn_is_compared_whole_and_in_its_pieces() -> None:
    pieces = [" ".join(piece) for piece in clauses(tokens("Yes, a coffee and how much is it?"))]
    assert pieces[0] == "yes a coffee and how much is it"
    assert {"yes", "a coffee", "how much is it"} <= set(pieces)
