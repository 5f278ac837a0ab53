from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ai_engine.domain.continuation import Continuation, GoingOn

_WHOLE = "Good morning! We have tea, coffee and cake. Which one would you like? Take your time."
_WORDS = st.sampled_from(["tea", "coffee", "cake", "water", "please", "today"])
_SENTENCES = st.lists(st.lists(_WORDS, min_size=2, max_size=5).map(" ".join), min_size=1, max_size=5, unique=True)


def _goes_on(begun: str, answer: str, step: int = 7) -> str:
    continuation = Continuation(begun)
    new = "".join(continuation.feed(answer[place : place + step]) for place in range(0, len(answer), step))
    return new + continuation.flush()


def test_who_starts_anew_is_not_heard_repeating_whole_sentences() -> None:
    begun = "Good morning! We have tea, coffee and cake. "
    assert _goes_on(begun, _WHOLE) == "Which one would you like? Take your time."


def test_a_sentence_that_broke_off_is_taken_up_where_it_stopped() -> None:
    begun = "Good morning! We have tea, "
    assert _goes_on(begun, _WHOLE) == "coffee and cake. Which one would you like? Take your time."


def test_who_says_the_broken_sentence_again_is_taken_up_too() -> None:
    begun = "Good morning! We have tea, "
    assert _goes_on(begun, "We have tea, coffee and cake. And more!") == "coffee and cake. And more!"


def test_who_truly_goes_on_is_heard_from_the_first_word() -> None:
    assert _goes_on("Good morning! We have tea, ", "coffee and cake. And more!") == "coffee and cake. And more!"


def test_another_answer_altogether_is_heard_whole() -> None:
    assert _goes_on("Good morning! ", "Nice to see you. Sit down.") == "Nice to see you. Sit down."


def test_marks_and_case_do_not_hide_a_repetition() -> None:
    assert _goes_on("Good morning! Well, ", "good morning. Well: sit down.") == "sit down."


@given(sentences=_SENTENCES, place=st.integers(0, 200), step=st.integers(1, 9))
def test_wherever_it_breaks_off_an_answer_begun_anew_comes_out_once(
    sentences: list[str], place: int, step: int
) -> None:
    whole = " ".join(f"{sentence.capitalize()}." for sentence in sentences)
    cut = whole.rfind(" ", 0, place % (len(whole) + 1)) + 1
    begun = whole[:cut]
    assert begun + _goes_on(begun, whole, step) == whole


def going_on(pieces: Sequence[str], *, said: str, rest: str) -> str:
    going = GoingOn(said, rest)
    return "".join(map(going.feed, pieces)) + going.flush()


@pytest.mark.parametrize("size", [1, 3, 100])
@pytest.mark.parametrize(
    ("rest", "text", "new"),
    [
        ("a cup of tea.", "a cup of tea. With milk?", "With milk?"),
        ("a cup of tea.", "A cup, of tea. With milk?", "With milk?"),
        ("a cup of tea.", "a cup of tea.", ""),
        ("", "With milk? Or lemon?", "With milk? Or lemon?"),
        ("", "With milk", "With milk"),
    ],
)
def test_who_goes_on_at_the_next_word_is_told_without_what_was_told(rest: str, text: str, new: str, size: int) -> None:
    pieces = [text[begin : begin + size] for begin in range(0, len(text), size)]
    assert going_on(pieces, said="Hello! You may have a cup of tea.", rest=rest) == new


@pytest.mark.parametrize(
    ("rest", "text"),
    [
        ("a cup of tea.", "Hello! You may have a cup of tea."),
        ("a cup of tea.", "a cup of coffee."),
        ("a cup of tea.", "a cup"),
        ("", "Hello! You may have a cup of tea."),
        ("", ""),
    ],
)
def test_who_begins_anew_is_found_out(rest: str, text: str) -> None:
    with pytest.raises(ValueError, match="anew"):
        going_on([text], said="Hello! You may have a cup of tea.", rest=rest)
