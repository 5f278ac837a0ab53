"""Page tokens: a position, good for one question only."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.errors import InvalidFieldError
from mesh.paging import page_position, page_token

QUESTION = ("ListConversations", "usr_1", "")


def test_no_token_asks_for_the_first_page() -> None:
    assert page_position("", QUESTION) is None


@given(st.lists(st.integers(-(2**63), 2**63) | st.text(max_size=20), max_size=3), st.lists(st.text(), max_size=3))
def test_a_token_gives_its_position_back_to_the_same_question(position: list[str | int], question: list[str]) -> None:
    token = page_token(tuple(position), question)
    assert page_position(token, question) == tuple(position)
    with pytest.raises(InvalidFieldError):
        page_position(token, [*question, ""])


def test_filters_that_only_look_alike_when_joined_are_different_questions() -> None:
    token = page_token((1,), ("a", "bc"))
    with pytest.raises(InvalidFieldError):
        page_position(token, ("ab", "c"))


@given(st.text(min_size=1, max_size=256))
def test_whatever_else_comes_is_refused(token: str) -> None:
    with pytest.raises(InvalidFieldError) as refused:
        page_position(token, QUESTION)
    assert refused.value.field == "page_token"


def test_a_token_with_the_longest_ids_fits_its_field() -> None:
    assert len(page_token((2**60, "x" * 64), QUESTION)) <= 256
