"""What a slip is about is told from what was said and its mending, and not guessed where it could be two things."""

import pytest

from services.history.domain.happenings import Slip, SlipKind
from services.history.domain.topics import Topic, topic_of

SLIPS = {
    Topic.ARTICLE: [
        ("I am student", "I am a student"),
        ("a informations", "an informations"),
        ("The life is beautiful", "Life is beautiful"),
    ],
    Topic.AGREEMENT: [
        ("have", "has"),
        ("She don't know", "She doesn't know"),
        ("There is two", "There are two"),
        ("she like tea", "she likes tea"),
        ("we goes home", "we go home"),
    ],
    Topic.TENSE: [
        ("I go to the beach yesterday", "I went to the beach yesterday"),
        ("Yesterday I have eaten", "Yesterday I ate"),
        ("If it will rain", "If it rains"),
        ("I am born in May", "I was born in May"),
    ],
    Topic.VERB_FORM: [
        ("I didn't went", "I didn't go"),
        ("She can speaks", "She can speak"),
        ("I enjoy to cook", "I enjoy cooking"),
        ("I must to go", "I must go"),
        ("I am agree", "I agree"),
        ("buyed", "bought"),
    ],
    Topic.PREPOSITION: [
        ("depends of", "depends on"),
        ("listening music", "listening to music"),
        ("discuss about it", "discuss it"),
        ("arrive to the airport", "arrive at the airport"),
    ],
    Topic.WORD_ORDER: [
        ("I like very much football", "I like football very much"),
        ("Why you are late?", "Why are you late?"),
    ],
    Topic.NUMBER: [("informations", "information"), ("two brother", "two brothers"), ("childs", "children")],
    Topic.PRONOUN: [("explain me him", "explain me his"), ("This are", "These are"), ("Is cold", "It is cold")],
    Topic.COMPARISON: [("more tall than", "taller than"), ("older then me", "older than me")],
    Topic.NEGATION: [("I don't have nothing", "I don't have anything")],
    Topic.SPELLING: [("tommorow", "tomorrow"), ("I recieve letters", "I receive letters")],
    Topic.WORD_CHOICE: [("make a photo", "take a photo"), ("I am boring", "I am bored"), ("borrow me", "lend me")],
    Topic.OTHER: [
        ("", "It is cold"),
        ("the same", "the same"),
        ("I want that you come", "I want you to come"),
        # A verb or a noun.
        ("work", "works"),
    ],
}


@pytest.mark.parametrize(
    ("topic", "said", "better"), [(topic, *words) for topic, some in SLIPS.items() for words in some]
)
def test_a_slip_has_the_topic_that_its_mending_shows(topic: Topic, said: str, better: str) -> None:
    assert topic_of(Slip(SlipKind.GRAMMAR, said, better)) is topic


def test_whoever_says_that_a_slip_is_about_a_word_is_believed_where_nothing_else_shows() -> None:
    assert topic_of(Slip(SlipKind.VOCABULARY, "open the TV", "turn on the TV")) is Topic.WORD_CHOICE
    assert topic_of(Slip(SlipKind.VOCABULARY, "depends of", "depends on")) is Topic.PREPOSITION


def test_how_something_sounded_is_counted_by_its_sounds() -> None:
    assert topic_of(Slip(SlipKind.PRONUNCIATION, "sink", "think")) is None
