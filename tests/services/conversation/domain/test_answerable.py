"""A turn that is over by all signs stays open until its answer can sound: nobody has heard yet that it is over."""

from services.conversation.domain import told
from services.conversation.domain.commands import StoreTurn
from tests.services.conversation.domain.stage import Stage


def _over_and_not_answered() -> Stage:
    """Half a second after a final pause, with an answer under way that has no sound yet."""
    stage = Stage(answerable_s=1.0)
    stage.says("I would like a tea.")
    stage.advance(0.5)
    return stage


def test_who_goes_on_before_the_answer_sounds_goes_on_with_the_same_turn() -> None:
    stage = _over_and_not_answered()
    stage.says("I would like a tea. And a cake.")
    reply = stage.makes("Of course.")
    stage.advance(0.6)
    assert [command.record.text for command in stage.all(StoreTurn)] == ["I would like a tea. And a cake."]
    assert [event.reply_id for event in stage.told(told.ReplyStarted)] == [reply]


def test_the_turn_is_over_with_the_first_sound_of_its_answer() -> None:
    stage = _over_and_not_answered()
    assert not stage.all(StoreTurn)
    stage.makes("Of course.")
    assert stage.all(StoreTurn)
    assert stage.told(told.ReplyAudio)


def test_an_answer_that_takes_long_is_waited_for_a_second_and_no_longer() -> None:
    stage = _over_and_not_answered()
    stage.advance(0.7)
    assert not stage.all(StoreTurn)
    stage.advance(0.1)
    assert stage.all(StoreTurn)


def test_the_wait_for_the_answer_is_counted_as_the_answers_and_not_as_recognition() -> None:
    stage = _over_and_not_answered()
    stage.makes("Of course.")
    [measured] = stage.told(told.ReplyMeasured)
    stages = {each.name: round(each.duration_ms) for each in measured.ledger.stages}
    assert (stages["endpoint"], stages["recognition"], stages["model"] + stages["speech"]) == (250, 0, 250)


def test_a_turn_that_is_over_when_the_session_ends_is_kept() -> None:
    stage = _over_and_not_answered()
    stage.ends_session()
    assert [command.record.text for command in stage.all(StoreTurn)] == ["I would like a tea."]


def test_a_turn_that_is_not_over_when_the_session_ends_is_not_kept() -> None:
    stage = Stage(answerable_s=1.0)
    stage.says("I would like a", probability=0.0)
    stage.advance(0.5)
    stage.ends_session()
    assert not stage.all(StoreTurn)
