"""The hesitant learners of `viva bench turns`, and how a virtual conversation hears what was overheard of them."""

from functools import partial

import pytest

from cli.bench.heard_ear import HeardEar
from cli.bench.hesitant import Hesitant, Part, hesitant_learners
from cli.bench.overhearing import Overheard, Stop
from cli.simulation.script import Pause, Say
from cli.simulation.story import Story
from cli.simulation.virtual import play_virtually
from mesh.audio import HEARING_HZ
from services.conversation.domain.choices import Level

_SAY = Say(("My brother studies", Pause(0.8), "medicine."))
_BREAK, _GOES_ON, _END = HEARING_HZ, round(1.8 * HEARING_HZ), round(2.5 * HEARING_HZ)


@pytest.mark.parametrize("part", ["held out", "tuned on"])
def test_there_is_a_learner_of_each_level_and_each_turn_has_a_pause(part: Part) -> None:
    learners = hesitant_learners(part, turns_each=100)
    assert [each.level for each in learners] == [Level.A1, Level.A2, Level.B1, Level.B2, Level.C1]
    assert all(any(isinstance(piece, Pause) for piece in say.pieces) for each in learners for say in each.turns)


def test_nothing_is_held_out_that_the_waits_were_tuned_on() -> None:
    tuned, held_out = (
        {say.text for each in hesitant_learners(part, 100) for say in each.turns} for part in ("tuned on", "held out")
    )
    assert not tuned & held_out


def play(looks_over: float, text: str) -> Story:
    stops = [Stop(_BREAK, looks_over, text), Stop(_END, 0.97, "My brother studies medicine.")]
    overheard = {_SAY: Overheard(_END, [0, _GOES_ON], stops)}
    return play_virtually(Hesitant(Level.B1, (_SAY,)).script, make_ear=partial(HeardEar, overheard))


def test_a_pause_that_was_heard_as_unlikely_the_end_is_waited_out() -> None:
    story = play(0.1, "My brother studies.")
    assert (story.ended_pauses, len(story.turns), len(story.gaps_s)) == (0, 1, 1)


def test_a_pause_that_was_heard_as_the_end_is_counted_as_taken_for_it() -> None:
    story = play(0.99, "My brother studies.")
    assert (story.ended_pauses, len(story.cut_off), len(story.turns)) == (1, 1, 2)
