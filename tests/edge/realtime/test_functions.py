"""Functions in the dialect: what a client offers, how it is asked to carry one out, and how it answers."""

from typing import Any

from vivavoce.ai_engine.v1 import engine_pb2 as engine_pb
from vivavoce.conversation.v1 import converse_pb2 as converse_pb

from edge.realtime.talk import Opening
from edge.realtime.tokens import pack, unpack
from tests.edge.realtime.desk import RATE, Desk

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER: dict[str, Any] = {"type": "function", "name": "weather", "description": "Tells it.", "parameters": SCHEMA}
OUTPUT = {"type": "function_call_output", "call_id": "call_1", "output": "Rain."}


def calls(desk: Desk, *, begins: bool = True, call_id: str = "call_1") -> None:
    if begins:
        desk.converse(reply_started=converse_pb.ReplyStarted(reply_id="rep_2", turn_id="trn_1"))
    called = converse_pb.ToolCalled(
        reply_id="rep_2", call_id=call_id, name="weather", arguments_json='{"city": "Kyoto"}'
    )
    desk.converse(tool_called=called)


def test_functions_are_offered_when_the_session_begins_and_when_they_change() -> None:
    desk = Desk(tools=[WEATHER]).begins()
    offered = desk.last_asked("set_tools").tools
    assert (offered.tools[0].name, offered.tools[0].description) == ("weather", "Tells it.")
    desk.client("session.update", session={"type": "realtime", "tool_choice": {"type": "function", "name": "weather"}})
    offered = desk.last_asked("set_tools").tools
    assert (offered.choice, offered.only) == (engine_pb.TOOL_CHOICE_REQUIRED, "weather")
    told = desk.last("session.updated")["session"]
    assert (told["tools"], told["tool_choice"]) == ([WEATHER], {"type": "function", "name": "weather"})
    desk.client("session.update", session={"type": "realtime", "tools": []})
    assert desk.last_asked("set_tools").tools == engine_pb.ToolSet()


def test_a_call_comes_in_the_order_clients_expect_and_without_a_message() -> None:
    desk = Desk(tools=[WEATHER]).begins()
    desk.forget()
    calls(desk)
    desk.is_finished("HEARD", "", 0)
    assert desk.kinds() == [
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.output_item.done",
        "conversation.item.done",
        "response.done",
    ]
    (item,) = desk.last("response.done")["response"]["output"]
    assert {name: item[name] for name in ("type", "status", "call_id", "name", "arguments")} == {
        "type": "function_call",
        "status": "completed",
        "call_id": "call_1",
        "name": "weather",
        "arguments": '{"city": "Kyoto"}',
    }
    desk.client("conversation.item.retrieve", item_id=item["id"])
    assert desk.last("conversation.item.retrieved")["item"] == item


def test_a_call_after_words_is_the_second_item_of_its_response() -> None:
    desk = Desk(tools=[WEATHER]).begins()
    desk.tutor_says("Let me look.", 1.0)
    calls(desk, begins=False)
    assert desk.last("response.output_item.added")["output_index"] == 1
    desk.converse(reply_audio_ended=converse_pb.ReplyAudioEnded(reply_id="rep_2", total_samples=RATE))
    output = desk.last("response.done")["response"]["output"]
    assert [item["type"] for item in output] == ["message", "function_call"]
    assert desk.kinds().count("response.content_part.done") == 1


def test_what_came_of_it_goes_in_as_an_item_and_is_spoken_of_when_asked() -> None:
    desk = Desk(tools=[WEATHER]).begins()
    calls(desk)
    desk.is_finished("HEARD", "", 0)
    desk.client("conversation.item.create", item={**OUTPUT, "id": "mine"})
    result = desk.last_asked("submit_tool_result")
    assert (result.call_id, result.output, result.reply_later) == ("call_1", "Rain.", True)
    assert desk.last("conversation.item.done")["item"]["output"] == "Rain."
    desk.client("response.create")
    assert desk.asked()[-1] == "ask_reply"
    desk.client("conversation.item.create", item=OUTPUT)
    assert (desk.error()["code"], desk.error()["param"]) == ("invalid_value", "item.call_id")


def test_a_call_from_before_a_cut_is_answered_after_it() -> None:
    desk = Desk(Opening(resume_token="ses_1.secret")).begins()
    desk.client("conversation.item.create", item=OUTPUT)
    assert desk.last_asked("submit_tool_result").output == "Rain."


def test_one_response_may_have_functions_of_its_own_but_none_beside_the_talk() -> None:
    desk = Desk().begins()
    desk.client("response.create", response={"tools": [WEATHER], "tool_choice": "required"})
    asked = desk.last_asked("ask_reply").tools
    assert (asked.tools[0].name, asked.choice) == ("weather", engine_pb.TOOL_CHOICE_REQUIRED)
    desk = Desk().begins()
    desk.client("response.create", response={"conversation": "none", "instructions": "Joke.", "tools": [WEATHER]})
    assert (desk.error()["code"], desk.error()["param"]) == ("unsupported", "response.tools")
    assert "ask_reply" not in desk.asked()


def test_functions_travel_with_a_key_or_a_resume_token_unless_they_make_it_long() -> None:
    few = Desk(tools=[WEATHER]).codec._talk.chosen
    assert unpack(pack("secret", few), "resume") == ("secret", few)
    many = Desk(tools=[{**WEATHER, "name": f"f{n}", "description": "x" * 900} for n in range(8)]).codec._talk.chosen
    secret, without = unpack(pack("secret", many), "resume")
    assert (secret, len(without.tools.tools)) == ("secret", 0)
