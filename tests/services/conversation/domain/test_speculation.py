"""Replies made ahead: how many, fewer where it is busy, and what they are counted as."""

import pytest

from services.conversation.domain import events
from services.conversation.domain.commands import CountDraft, CountWaste, Respond, StoreTurn
from services.conversation.domain.strain import Bearable, Strain
from services.conversation.domain.things import Usage
from tests.services.conversation.domain.stage import Stage

BEARABLE = Bearable(lag_s=0.025, replies=6)


def goes_on(stage: Stage, times: int) -> None:
    """Says something, and goes on after each pause."""
    for number in range(times):
        stage.says(f"I would like {number} of", probability=0.0)
        stage.advance(0.3)


@pytest.mark.parametrize(("strain", "tries"), [(Strain.CALM, 3), (Strain.BUSY, 1), (Strain.OVERLOADED, 0)])
def test_the_busier_it_is_the_fewer_replies_are_made_ahead(strain: Strain, tries: int) -> None:
    stage = Stage()
    stage.happen(events.StrainChanged(strain))
    goes_on(stage, 5)
    assert len(stage.all(Respond)) == tries
    assert not stage.all(StoreTurn)


def test_a_turn_is_answered_however_busy_it_is() -> None:
    stage = Stage()
    stage.happen(events.StrainChanged(Strain.OVERLOADED))
    stage.says("A tea, please.")
    stage.advance(1.0)
    assert [command.record.text for command in stage.all(StoreTurn)] == ["A tea, please."]
    assert [asked.turn_text for asked in stage.all(Respond)] == ["A tea, please."]


def test_when_it_is_calm_again_replies_are_made_ahead_again() -> None:
    stage = Stage()
    stage.happen(events.StrainChanged(Strain.OVERLOADED))
    goes_on(stage, 1)
    stage.happen(events.StrainChanged(Strain.CALM))
    goes_on(stage, 1)
    assert len(stage.all(Respond)) == 1


def test_a_reply_that_was_made_ahead_and_is_used_counts_as_a_hit() -> None:
    stage = Stage()
    stage.says("A tea, please.")
    stage.makes("Of course.")
    stage.advance(1.0)
    assert stage.all(CountDraft) == [CountDraft(used=True)]
    assert not stage.all(CountWaste)


@pytest.mark.parametrize("made_before", [True, False], ids=["made before", "being made"])
def test_what_a_reply_cost_that_is_thrown_away_is_counted_once(made_before: bool) -> None:
    stage = Stage()
    stage.says("A tea", probability=0.0)
    made = events.ReplyMade(stage.asked, events.MadeEnd.CANCELLED, usage=Usage(input_tokens=40, output_tokens=2))
    if made_before:
        stage.happen(made)
    stage.starts_to_speak()
    if not made_before:
        stage.happen(made)
    assert stage.all(CountDraft) == [CountDraft(used=False)]
    assert stage.all(CountWaste) == [CountWaste(42)]


@pytest.mark.parametrize(
    ("lag_s", "replies", "strain"),
    [
        (0.0, 0, Strain.CALM),
        (0.024, 5, Strain.CALM),
        (0.025, 0, Strain.BUSY),
        (0.0, 6, Strain.BUSY),
        (0.05, 0, Strain.OVERLOADED),
        (0.0, 12, Strain.OVERLOADED),
    ],
)
def test_it_is_as_busy_as_the_worse_of_delay_and_replies_under_way(lag_s: float, replies: int, strain: Strain) -> None:
    assert BEARABLE.strain(lag_s, replies) is strain
