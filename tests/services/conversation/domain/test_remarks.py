"""What is remarked on a turn: asked when it counts, stored, and told where the learner wants that."""

from services.conversation.domain import events, told
from services.conversation.domain.choices import Choices, CorrectionStyle, Level
from services.conversation.domain.commands import Assess, Respond, StoreRemark, StoreSummary
from services.conversation.domain.things import Line, Remark, Speaker, Summary
from tests.services.conversation.domain.stage import Stage

REMARK = Remark("fluency", '{"fluency":{"wordCount":4}}')


def test_a_turn_is_asked_about_once_when_it_counts() -> None:
    stage = Stage(Choices(level=Level.B1))
    stage.says("I went home.", probability=0.1)
    assert not stage.all(Assess)
    stage.advance(2.0)
    (asked,) = stage.all(Assess)
    assert (asked.record.text, asked.choices.level) == ("I went home.", Level.B1)
    assert stage.commands.index(asked) > stage.commands.index(stage.last(Respond)), "its reply is asked for first"


def test_a_typed_turn_is_asked_about_too() -> None:
    stage = Stage()
    stage.happen(events.TextSubmitted("I went home."))
    assert stage.last(Assess).record.typed


def test_a_remark_is_stored_and_told() -> None:
    stage = Stage()
    stage.says("I went home.")
    stage.answers("I see.")
    turn_id = stage.last(Assess).record.turn_id
    stage.happen(events.RemarkFound(turn_id, REMARK))
    assert [command.record.turn_id for command in stage.all(StoreRemark)] == [turn_id]
    assert [(event.turn_id, event.remark) for event in stage.told(told.RemarkGiven)] == [(turn_id, REMARK)]


def test_who_wants_corrections_afterwards_is_told_no_remarks_meanwhile() -> None:
    stage = Stage(Choices(correction_style=CorrectionStyle.AFTERWARDS))
    stage.happen(events.TextSubmitted("I went home."))
    stage.happen(events.RemarkFound(stage.last(Assess).record.turn_id, REMARK))
    assert stage.all(StoreRemark)
    assert not stage.told(told.RemarkGiven)


def test_a_remark_on_a_turn_nobody_asked_about_is_dropped() -> None:
    stage = Stage()
    stage.happen(events.RemarkFound("trn_other", REMARK))
    assert not stage.all(StoreRemark)


LINES = tuple(Line(Speaker.LEARNER if n % 2 else Speaker.TUTOR, f"line {n}") for n in range(10))


def test_a_summary_stands_for_its_lines_from_the_next_reply_on() -> None:
    stage = Stage(lines=LINES)
    stage.happen(events.TextSubmitted("First."))
    assert stage.last(Respond).lines == LINES
    summary = Summary("They talked of lines.", 6)
    stage.happen(events.TalkSummarised(summary))
    assert [command.summary for command in stage.all(StoreSummary)] == [summary]
    stage.happen(events.TextSubmitted("Second."))
    asked = stage.last(Respond)
    assert (asked.summary, asked.first_line) == (summary, 6)
    assert [line.text for line in asked.lines] == ["line 6", "line 7", "line 8", "line 9", "First."]


def test_a_summary_of_fewer_lines_than_the_last_came_late_and_is_dropped() -> None:
    stage = Stage(lines=LINES)
    stage.happen(events.TalkSummarised(Summary("long", 8)))
    stage.happen(events.TalkSummarised(Summary("short", 6)))
    assert len(stage.all(StoreSummary)) == 1
    stage.happen(events.TextSubmitted("Next."))
    assert stage.last(Respond).summary.text == "long"
