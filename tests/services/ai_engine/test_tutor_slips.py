"""Slips: typical ones are found and mended, and nothing that people rightly say is ever marked."""

from pathlib import Path

import pytest

from services.ai_engine.tutor.grammar import HarperCheck
from services.ai_engine.tutor.recast import recast
from services.ai_engine.tutor.slips import mended, slips

RIGHT = [
    line
    for line in (Path(__file__).parent / "right_sentences.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]


@pytest.fixture(scope="module")
def check() -> HarperCheck:
    return HarperCheck()


def test_there_are_enough_right_sentences() -> None:
    assert len(set(RIGHT)) >= 200


@pytest.mark.parametrize("sentence", RIGHT)
def test_a_right_sentence_is_never_corrected(check: HarperCheck, sentence: str) -> None:
    assert check(sentence) == ()


@pytest.mark.parametrize("sentence", RIGHT)
def test_a_right_sentence_without_capitals_and_stops_is_never_corrected(check: HarperCheck, sentence: str) -> None:
    assert check(sentence.lower().rstrip(".?!")) == ()


@pytest.mark.parametrize(
    ("said", "better"),
    [
        ("Yesterday I goed to the shop.", "Yesterday I went to the shop."),
        ("I have eated already.", "I have eaten already."),
        ("It depends of the weather.", "It depends on the weather."),
        ("I am agree with you.", "I agree with you."),
        ("I'm not agree.", "I don't agree."),
        ("I enjoy to swim.", "I enjoy swimming."),
        ("I can to swim very well.", "I can swim very well."),
        ("Can you explain me the rules?", "Can you explain the rules to me?"),
        ("I listen music every day.", "I listen to music every day."),
        ("We discussed about the price.", "We discussed the price."),
        ("She is married with a doctor.", "She is married to a doctor."),
        ("I am born in Spain.", "I was born in Spain."),
        ("I need some informations.", "I need some information."),
        ("The people is very nice.", "The people are very nice."),
        ("This are my friends.", "These are my friends."),
        ("I no understand.", "I don't understand."),
        ("What means that?", "What does that mean?"),
        ("He said me that it is late.", "He told me that it is late."),
        ("I did a mistake.", "I made a mistake."),
        ("I am afraid from dogs.", "I am afraid of dogs."),
        ("I went to home.", "I went home."),
        ("Yesterday I go to the cinema.", "Yesterday I went to the cinema."),
        ("I go to the cinema with my brother yesterday.", "I went to the cinema with my brother yesterday."),
        ("I look forward to meet you.", "I look forward to meeting you."),
        ("She don't like coffee.", "She doesn't like coffee."),
        ("He go to school every day.", "He goes to school every day."),
        ("I have went there.", "I have gone there."),
        ("I didn't went there.", "I didn't go there."),
        ("Did you saw him?", "Did you see him?"),
        ("It is more better.", "It is better."),
        ("I live here since five years.", "I have lived here for five years."),
        ("They was very late.", "They were very late."),
        ("I want buy a shirt.", "I want to buy a shirt."),
        ("I would like a apple.", "I would like an apple."),
        ("He is a friend of me.", "He is a friend of mine."),
        ("I am interested on music.", "I am interested in music."),
    ],
)
def test_a_typical_slip_is_mended(check: HarperCheck, said: str, better: str) -> None:
    assert mended(said, check(said)) == better


def test_a_slip_tells_where_it_stands(check: HarperCheck) -> None:
    text = "Well, it depends of the weather."
    (slip,) = check(text)
    assert text[slip.start : slip.end] == slip.said == "depends of"
    assert slip.explanation


@pytest.mark.parametrize("sentence", ["My favourite colour is grey.", "I realised I'd travelled to the wrong theatre."])
def test_british_spelling_is_as_right_as_american(check: HarperCheck, sentence: str) -> None:
    assert check(sentence) == ()


@pytest.mark.parametrize(
    ("said", "back"),
    [
        ("I goed to the market yesterday.", "you went to the market yesterday"),
        ("Yesterday I go to the market with my brother.", "yesterday you went to the market with your brother"),
        ("I enjoy to swim.", "you enjoy swimming"),
        ("I am born in Spain, and you?", ""),
        ("I want to go to home.", ""),
        ("I am agree with you.", ""),
        ("I goed there and buyed a coat.", ""),
        ("My brother goed home.", "your brother went home"),
        ("It depends of the weather.", ""),
        ("I like tea.", ""),
    ],
)
def test_a_mended_clause_is_turned_to_the_learner_only_where_that_is_safe(said: str, back: str) -> None:
    assert recast(said, slips(said)) == back
