"""Functions of the client: when the tutor may call them, when the client is told, and what comes of an answer."""

from services.conversation.domain import events, told
from services.conversation.domain.choices import Choices, Initiative
from services.conversation.domain.commands import Respond, Speak, StoreReply
from services.conversation.domain.things import Line, Outcome, Speaker
from services.conversation.domain.tools import Tool, ToolCall, ToolChoice, ToolSet, ToolUse
from tests.services.conversation.domain.stage import PIECE, Stage

WEATHER = ToolSet((Tool("weather", "Tells the weather.", ""),))
CALL = ToolCall("weather", "{}")
ASKED = Line(Speaker.LEARNER, "Will it rain?")


def calls(stage: Stage, *, ends: bool = True) -> None:
    """The engine answers the request before by a call and no word."""
    stage.happen(events.ToolCallMade(stage.asked, CALL))
    if ends:
        stage.ends(stage.asked)


def asked(choices: Choices | None = None) -> Stage:
    """The learner has asked for something that takes a function."""
    stage = Stage(choices)
    stage.happen(events.ToolsOffered(WEATHER))
    stage.happen(events.TextSubmitted(ASKED.text))
    return stage


def answers(stage: Stage, output: str = "Rain.", place: int = -1, *, reply_later: bool = False) -> None:
    call = stage.told(told.ToolCalled)[place]
    stage.happen(events.ToolAnswered(call.call_id, output, reply_later))


def test_without_an_offer_there_is_nothing_to_call() -> None:
    stage = Stage()
    stage.happen(events.TextSubmitted("You may call delete_everything."))
    assert stage.last(Respond).tools == ToolSet()


def test_the_client_is_told_of_a_call_within_a_reply_that_says_nothing() -> None:
    stage = asked()
    assert stage.last(Respond).tools == WEATHER
    calls(stage)
    (started,), (called,) = stage.told(told.ReplyStarted), stage.told(told.ToolCalled)
    (finished,) = stage.told(told.ReplyFinished)
    assert (called.reply_id, called.turn_id, called.call) == (started.reply_id, started.turn_id, CALL)
    assert (finished.outcome, finished.heard_text) == (Outcome.HEARD, "")
    assert not stage.all(StoreReply)


def test_with_the_answer_the_tutor_speaks_and_is_remembered_once() -> None:
    stage = asked()
    calls(stage)
    answers(stage)
    request = stage.last(Respond)
    assert (request.turn_text, request.lines, request.tool_uses) == (ASKED.text, (), (ToolUse(CALL, "Rain."),))
    reply_id = stage.makes("It will rain.")
    stage.plays(reply_id, 3 * PIECE)
    record = stage.last(StoreReply).record
    assert (record.heard_text, record.tool_uses) == ("It will rain.", (ToolUse(CALL, "Rain."),))
    stage.happen(events.TextSubmitted("Thank you."))
    assert stage.last(Respond).tool_uses == ()
    assert stage.last(Respond).lines == (ASKED, Line(Speaker.TUTOR, "It will rain."))


def test_a_reply_that_speaks_first_is_told_in_full_before_the_call() -> None:
    stage = asked()
    reply_id = stage.makes("Let me look.", ends=False)
    calls(stage)
    kinds = stage.kinds()
    assert kinds.index("ReplyAudio") < kinds.index("ToolCalled") < kinds.index("ReplyAudioEnded")
    answers(stage)
    # It is still to be heard.
    assert len(stage.all(Respond)) == 1
    stage.plays(reply_id, 3 * PIECE)
    assert stage.last(Respond).lines == (ASKED, Line(Speaker.TUTOR, "Let me look."))
    assert stage.last(Respond).turn_text == ""


def test_the_tutor_waits_for_the_last_of_several_answers() -> None:
    stage = asked()
    calls(stage, ends=False)
    calls(stage)
    answers(stage, "Rain.", 0)
    assert len(stage.all(Respond)) == 1
    answers(stage, "Noon.", 1)
    assert [use.output for use in stage.last(Respond).tool_uses] == ["Rain.", "Noon."]


def test_a_client_may_keep_the_answer_until_it_asks_for_a_reply() -> None:
    stage = asked()
    calls(stage)
    answers(stage, reply_later=True)
    assert len(stage.all(Respond)) == 1
    stage.happen(events.ReplyAsked())
    assert stage.last(Respond).tool_uses == (ToolUse(CALL, "Rain."),)


def test_a_tutor_that_waits_to_be_asked_waits_with_an_answer_too() -> None:
    stage = asked(Choices(initiative=Initiative.WAITS))
    stage.happen(events.ReplyAsked())
    calls(stage)
    answers(stage)
    assert len(stage.all(Respond)) == 1


def test_a_learner_who_speaks_meanwhile_is_answered_and_the_answer_is_not_lost() -> None:
    stage = asked()
    calls(stage)
    stage.happen(events.TextSubmitted("Hello?"))
    stage.plays(stage.makes("One moment."), 3 * PIECE)
    answers(stage)
    assert stage.last(Respond).tool_uses == (ToolUse(CALL, "Rain."),)


def test_what_nobody_heard_is_told_with_the_next_reply() -> None:
    stage = asked()
    calls(stage)
    answers(stage)
    stage.makes("It will rain.", ends=False)
    stage.happen(events.TextSubmitted("Hello?"))
    assert stage.last(Respond).tool_uses == (ToolUse(CALL, "Rain."),)


def test_nobody_is_asked_whether_they_are_there_while_a_function_is_carried_out() -> None:
    stage = asked()
    calls(stage)
    stage.advance(60.0)
    assert not stage.all(Speak)


def test_a_tutor_that_only_calls_has_to_speak_in_the_end() -> None:
    stage = asked()
    for _ in range(8):
        assert stage.last(Respond).tools.choice is ToolChoice.AUTO
        calls(stage)
        answers(stage)
    assert stage.last(Respond).tools.choice is ToolChoice.NONE


def test_an_answer_to_no_call_is_refused_by_name() -> None:
    stage = asked()
    stage.happen(events.ToolAnswered("call_of_nobody", "Rain."))
    (raised,) = stage.told(told.ErrorRaised)
    assert (raised.failure.reason, raised.failure.field) == ("NOT_FOUND", "submit_tool_result.call_id")


def test_functions_may_be_offered_for_one_reply_only() -> None:
    stage = Stage()
    stage.happen(events.ReplyAsked("", WEATHER))
    assert stage.last(Respond).tools == WEATHER
    stage.plays(stage.makes("Hello."), 3 * PIECE)
    stage.happen(events.TextSubmitted("Hello."))
    assert stage.last(Respond).tools == ToolSet()


def test_a_call_of_a_reply_that_fails_is_not_carried_out() -> None:
    stage = asked()
    stage.happen(events.ToolCallMade(stage.asked, CALL))
    stage.happen(events.ReplyMade(stage.asked, events.MadeEnd.FAILED))
    assert not stage.told(told.ToolCalled)
