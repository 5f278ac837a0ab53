"""Words above the level: few, and sure ones."""

import pytest

from services.ai_engine.domain.remarks import SaidTurn
from services.ai_engine.domain.roles import CefrLevel
from services.ai_engine.feedback.vocabulary import LevelList

LIST = LevelList()


def above(text: str, level: CefrLevel | None, language: str = "en") -> list[tuple[str, str]]:
    remark = LIST(SaidTurn(text, language=language, level=level))
    return [(word.word, word.level) for word in remark.words] if remark else []


def test_a_beginner_hears_of_the_words_they_are_not_expected_to_know() -> None:
    assert above("I would like to make a reservation for Friday.", "A1") == [("reservation", "B1")]


def test_somebody_of_that_level_does_not() -> None:
    assert above("I would like to make a reservation for Friday.", "B1") == []


def test_a_word_stands_where_it_was_said_and_once() -> None:
    text = "My deadline is a deadline."
    remark = LIST(SaidTurn(text, level="A1"))
    assert remark is not None
    (word,) = remark.words
    assert (text[word.start : word.end], word.start) == ("deadline", 3)


@pytest.mark.parametrize("text", ["I flew to Kyoto with Yuki.", "My friend Bill is here.", "Um, gonna, uh, croissant."])
def test_names_and_what_the_list_only_finds_rare_are_not_praised(text: str) -> None:
    assert above(text, "A2") == []


def test_at_most_five_are_told() -> None:
    text = "The schedule, the deadline, the negotiation, the commute, the reservation, the budget and the agenda."
    assert len(above(text, "A1")) == 5


def test_without_a_level_and_in_other_languages_nothing_is_said() -> None:
    assert above("I would like to make a reservation.", None) == []
    assert above("Ich habe eine reservation und eine deadline.", "A1", "de") == []
