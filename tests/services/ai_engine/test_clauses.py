from collections.abc import AsyncIterator, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ai_engine.adapters.clauses import ClauseSplitter, split_clauses


def _clauses(deltas: Iterable[str]) -> list[str]:
    splitter = ClauseSplitter()
    clauses = [clause for delta in deltas for clause in splitter.feed(delta)]
    return [*clauses, rest] if (rest := splitter.flush()) else clauses


_MARKS = "".join([*" \n.,!?…;:—\"'()", "。"])
_TEXTS = st.lists(st.text(alphabet=st.sampled_from("aBi3.r" + _MARKS) | st.characters(), max_size=12), max_size=30)


@given(_TEXTS)
def test_the_clauses_joined_are_the_text(deltas: list[str]) -> None:
    assert "".join(_clauses(deltas)) == "".join(deltas)


@given(_TEXTS)
def test_no_clause_is_empty(deltas: list[str]) -> None:
    assert "" not in _clauses(deltas)


@given(_TEXTS)
def test_one_letter_at_a_time_gives_clauses_no_longer_than_forty_words(deltas: list[str]) -> None:
    assert all(len(clause.split()) <= 41 for clause in _clauses("".join(deltas)))


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("Good morning! How are you? Fine.", ["Good morning! ", "How are you? ", "Fine."]),
        ("Well, that is nice.", ["Well, that is nice."]),
        ("That sounds good, let us meet at noon.", ["That sounds good, ", "let us meet at noon."]),
        ("Mr. Smith paid $3.50 for it. Then he left.", ["Mr. Smith paid $3.50 for it. ", "Then he left."]),
        ("J. K. Rowling wrote it. Did you read it?", ["J. K. Rowling wrote it. ", "Did you read it?"]),
        ("So do I. And you?", ["So do I. ", "And you?"]),
        ("No. Not today.", ["No. ", "Not today."]),
        ("We meet at 7:30 p.m. on Friday. Fine?", ["We meet at 7:30 p.m. on Friday. ", "Fine?"]),
        ('She said "Come in!" and smiled.', ['She said "Come in!" ', "and smiled."]),
        ("Hmm... let me think.", ["Hmm... ", "let me think."]),
        ("... and so on. Yes.", ["... and so on. ", "Yes."]),
        ("First line\nSecond line", ["First line\n", "Second line"]),
        ("こんにちは。元気ですか？はい。", ["こんにちは。", "元気ですか？", "はい。"]),  # noqa: RUF001
        ("", []),
        ("  ", ["  "]),
    ],
)
def test_clauses_end_where_a_speaker_would_pause(text: str, clauses: list[str]) -> None:
    assert _clauses([text]) == clauses
    assert _clauses(text) == clauses


def test_a_long_beginning_without_marks_is_spoken_early() -> None:
    words = [f"word{number} " for number in range(30)]
    splitter = ClauseSplitter()
    given_at = next(place for place, word in enumerate(words, 1) if splitter.feed(word))
    assert given_at <= 13


def test_later_clauses_do_not_break_at_every_comma() -> None:
    text = "Good. I like tea, coffee, milk, and water. Fine."
    assert _clauses([text]) == ["Good. ", "I like tea, coffee, milk, and water. ", "Fine."]


async def test_a_clause_is_handed_on_before_the_text_ends() -> None:
    seen: list[str] = []

    async def text() -> AsyncIterator[str]:
        for delta in ("Good mor", "ning! ", "How are", " you?"):
            seen.append(delta)
            yield delta

    clauses = split_clauses(text())
    assert await anext(clauses) == "Good morning! "
    assert len(seen) == 2
    assert [clause async for clause in clauses] == ["How are you?"]
