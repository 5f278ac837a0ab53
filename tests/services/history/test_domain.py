"""What becomes of deliveries: in order, without gaps, each event once."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.errors import ConflictError, InvalidFieldError
from services.history.domain.happenings import Began, Content, Conversation, Ended, Happening, Said, take_in
from services.history.domain.keeping import Question

HELLO = Said("hello")


def happening(sequence: int, name: str = "a", content: Content = HELLO) -> Happening:
    return Happening(name, sequence, "usr_1", 1000 + sequence, content)


def began(name: str = "a") -> Happening:
    return happening(1, name, Began("cafe", "en", b"chosen"))


def test_a_conversation_sums_up_its_events() -> None:
    events = [began(), happening(2), happening(3), happening(4, content=Ended())]
    intake = take_in([events[:2], events[2:]], {})
    assert (intake.taken, intake.refusal) == (2, None)
    assert intake.added == tuple(events)
    assert intake.changed["a"] == Conversation("a", "usr_1", "cafe", "en", b"chosen", 1001, 1004, 4, 2, ended=True)


def test_what_is_known_is_ignored() -> None:
    known = take_in([[began(), happening(2)]], {}).changed
    again = take_in([[began(), happening(2)], [happening(2), happening(3)]], known)
    assert again.added == (happening(3),)
    assert again.changed["a"].turn_count == 2


def test_a_gap_is_refused_with_the_sequence_that_is_next() -> None:
    intake = take_in([[began()], [happening(2), happening(4)], [happening(3)]], {})
    assert (intake.taken, intake.added) == (1, (began(),))
    assert isinstance(intake.refusal, ConflictError)
    assert intake.refusal.metadata == {"conversation_id": "a", "expected_sequence": "3", "sequence": "4"}


def test_a_conversation_begins_at_one() -> None:
    refusal = take_in([[happening(2)]], {}).refusal
    assert refusal is not None
    assert refusal.metadata["expected_sequence"] == "1"


def test_events_of_another_learner_are_refused() -> None:
    intake = take_in([[began()], [replace(happening(2), user_id="usr_2")]], {})
    assert intake.taken == 1
    assert isinstance(intake.refusal, InvalidFieldError)


@given(st.lists(st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 9)), min_size=1, max_size=6), max_size=12))
def test_whatever_arrives_what_is_kept_has_no_gap_and_no_double(deliveries: list[list[tuple[str, int]]]) -> None:
    known: dict[str, Conversation] = {}
    kept: dict[str, list[int]] = {"a": [], "b": []}
    for delivery in deliveries:
        intake = take_in([[happening(sequence, name) for name, sequence in delivery]], known)
        known |= intake.changed
        for each in intake.added:
            kept[each.conversation_id].append(each.sequence)
    for name, sequences in kept.items():
        assert sequences == list(range(1, len(sequences) + 1))
        assert not sequences or known[name].last_sequence == len(sequences)


def test_a_time_range_upside_down_is_refused() -> None:
    with pytest.raises(InvalidFieldError) as refused:
        Question("usr_1", start_us=2, end_us=1)
    assert refused.value.field == "end_time"
