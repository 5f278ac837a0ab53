"""Hints on words that a recogniser scored low."""

from services.ai_engine.domain.remarks import SaidTurn
from services.ai_engine.domain.roles import Word
from services.ai_engine.feedback.pronunciation import assessed


def turn(text: str, *scores: float | None) -> SaidTurn:
    words = (Word(word, n * 0.3, n * 0.3 + 0.3, pronunciation=score) for n, (word, score) in enumerate(
        zip(text.split(), scores, strict=True)
    ))  # fmt: skip
    return SaidTurn(text, tuple(words), scorer="azure")


def test_the_lowest_words_are_told_where_they_stand() -> None:
    text = "I think the weather is very usual."
    remark = assessed(turn(text, 0.9, 0.3, 0.95, 0.5, 0.97, 0.55, 0.2))
    assert remark is not None
    assert (remark.source, remark.approximate) == ("azure", False)
    assert [(word.word, text[word.start : word.end]) for word in remark.words] == [
        ("think", "think"),
        ("weather", "weather"),
        ("usual", "usual"),
    ]


def test_nothing_is_said_where_all_was_well_or_nothing_was_scored() -> None:
    assert assessed(turn("Good morning", 0.9, 0.61)) is None
    assert assessed(turn("Good morning", None, None)) is None
