"""What a scripted conversation is held against: each fault that may happen in one is complained of."""

from collections.abc import Callable

import pytest

from cli.simulation.reading import FOLDER, read_script
from cli.simulation.story import BargeIn, Said, Story
from cli.simulation.verdict import complaints, likeness
from cli.simulation.virtual import play_virtually


def _loses_words(story: Story) -> None:
    story.answers[0].heard_text = story.answers[0].heard_text.rpartition(" ")[0]


def _forgets_to_store(story: Story) -> None:
    del story.stored[max(story.stored)]


def _mishears(story: Story) -> None:
    story.turns[0].text = "I would like a toffee, please."


def _answers_twice(story: Story) -> None:
    story.answers[1].turn_id = story.answers[0].turn_id


def _splits_a_turn(story: Story) -> None:
    story.turns.append(story.turns[0])


def _cuts_off(story: Story) -> None:
    story.said[0].ended_at = story.turns[0].committed_at + 0.1


def _is_slow(story: Story) -> None:
    story.answers[0].audible_at = story.said[0].ended_at + 2.0


def _talks_over(story: Story) -> None:
    story.barge_ins.append(BargeIn(1.0, 2.0))


def _never_falls_silent(story: Story) -> None:
    story.barge_ins.append(BargeIn(1.0))


def _breaks_off(story: Story) -> None:
    story.broken = "waited in vain"


def _fails(story: Story) -> None:
    story.errors.append("no tutor")


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [
        (_loses_words, "words of the tutor were lost"),
        (_forgets_to_store, "stored is"),
        (_mishears, "heard was 'I would like a toffee, please.'"),
        (_answers_twice, "answered twice"),
        (_splits_a_turn, "3 turns instead of 2"),
        (_cuts_off, "turns taken for finished too early: 1 instead of 0"),
        (_is_slow, "a gap of 2.00 s lies outside 0.2 to 0.6 s"),
        (_talks_over, "the tutor spoke 1.00 s over the learner, and may 0.5 s"),
        (_never_falls_silent, "on and on"),
        (_breaks_off, "waited in vain"),
        (_fails, "faults: 1 instead of 0"),
    ],
)
def test_a_fault_is_complained_of(fault: Callable[[Story], None], complaint: str) -> None:
    script = read_script(FOLDER / "order_a_coffee.yaml")
    story = play_virtually(script)
    fault(story)
    assert any(complaint in found for found in complaints(script, story))


def test_in_real_time_a_gap_may_be_longer_than_the_script_wants_it() -> None:
    script = read_script(FOLDER / "order_a_coffee.yaml")
    story = play_virtually(script)
    _is_slow(story)
    assert complaints(script, story, patient_s=2.5) == []


def test_a_gap_runs_from_the_last_sample_of_a_turn_to_the_next_answer_and_to_no_later_one() -> None:
    story = play_virtually(read_script(FOLDER / "order_a_coffee.yaml"))
    unanswered = Said("Er.", story.said[1].began_at - 0.5, story.said[1].began_at - 0.2)
    story.said.insert(1, unanswered)
    assert len(story.gaps_s) == 2


def test_likeness_counts_words_in_their_order() -> None:
    assert likeness("I'd like a tea", "I'd like a tea, please!") == pytest.approx(8 / 9)
