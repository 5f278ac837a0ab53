"""What a client chooses, what of it is in force, and what the tutor can't do."""

import json
from typing import Any

import pytest
from vivavoce.conversation.v1 import conversation_pb2 as settings_pb
from vivavoce.conversation.v1 import converse_pb2 as converse_pb
from vivavoce.type.v1 import learner_pb2 as learner_pb

from tests.edge.realtime.desk import Desk, Part


def chosen(**session: Part) -> settings_pb.ConversationSettings:
    return Desk(**session).begins().requests[0].start_session.new_conversation


def listening(turn_detection: object) -> dict[str, Any]:
    return {"input": {"turn_detection": turn_detection}}


def test_a_session_is_told_as_it_is_and_may_be_sent_back_as_it_was_told() -> None:
    desk = Desk()
    told = desk.last("session.created")["session"]
    assert (told["type"], told["audio"]["input"]["format"]) == ("realtime", {"type": "audio/pcm", "rate": 24000})
    desk.client("session.update", session=told)
    assert desk.last("session.updated")["session"] == told


@pytest.mark.parametrize(("detection", "patience"), [
    ({"type": "semantic_vad", "eagerness": "low"}, learner_pb.PATIENCE_PATIENT),
    ({"type": "semantic_vad", "eagerness": "auto"}, learner_pb.PATIENCE_NORMAL),
    ({"type": "semantic_vad", "eagerness": "high"}, learner_pb.PATIENCE_QUICK),
    ({"type": "server_vad"}, learner_pb.PATIENCE_NORMAL),
    ({"type": "server_vad", "silence_duration_ms": 200}, learner_pb.PATIENCE_QUICK),
    ({"type": "server_vad", "silence_duration_ms": 1500}, learner_pb.PATIENCE_PATIENT),
])  # fmt: skip
def test_turn_detection_is_patience(detection: object, patience: int) -> None:
    assert chosen(audio=listening(detection)).patience == patience


def test_a_client_that_creates_responses_itself_has_a_tutor_that_waits() -> None:
    detection = {"type": "server_vad", "create_response": False}
    assert chosen(audio=listening(detection)).initiative == settings_pb.TUTOR_INITIATIVE_WAITS


def test_what_only_a_tutor_knows_is_chosen_beside() -> None:
    settings = chosen(tutor={"scenario_id": "cafe", "level": "CEFR_LEVEL_A2", "initiative": "TUTOR_INITIATIVE_LEADS"})
    assert (settings.scenario_id, settings.level) == ("cafe", learner_pb.CEFR_LEVEL_A2)
    assert settings.initiative == settings_pb.TUTOR_INITIATIVE_LEADS


def test_a_change_reaches_the_session_that_runs() -> None:
    desk = Desk().begins()
    desk.client("session.update", session={"audio": listening(None)})
    assert desk.last_asked("change_settings").settings.turn_taking == settings_pb.TURN_TAKING_PUSH_TO_TALK
    assert desk.last("session.updated")["session"]["audio"]["input"]["turn_detection"] is None


def test_an_update_that_changes_nothing_asks_for_nothing() -> None:
    desk = Desk().begins()
    desk.client("session.update", session={"type": "realtime", "audio": {"output": {"speed": 1, "voice": "marin"}}})
    assert "change_settings" not in desk.asked()


def test_what_has_no_effect_is_told() -> None:
    desk = Desk()
    desk.client("session.update", session={"instructions": "Be rude.", "audio": {"output": {"voice": "alloy"}}})
    assert desk.last("session.updated")["session"]["instructions"] == ""
    assert desk.last("tutor.ignored")["fields"] == ["session.instructions", "session.audio.output.voice"]


@pytest.mark.parametrize(("session", "code", "param"), [
    ({"tools": [{"type": "mcp", "server_url": "http://x"}]}, "unsupported", "session.tools[0].type"),
    ({"tools": [{"type": "function", "name": "f g"}]}, "invalid_value", "session.tools[0].name"),
    ({"tools": [{"type": "function", "name": "f"}] * 2}, "invalid_value", "session.tools"),
    ({"tools": [{"type": "function", "name": "f", "parameters": {"x": "y" * 9000}}]}, "string_above_max_length",
     "session.tools[0].parameters"),
    ({"tools": [{"type": "function", "name": f"f{n}", "description": "x" * 1024} for n in range(32)]},
     "string_above_max_length", "session.tools"),
    ({"tools": [{"type": "function", "name": f"f{n}"} for n in range(33)]}, "invalid_value", "session.tools"),
    ({"tool_choice": {"type": "function", "name": "f"}}, "invalid_value", "session.tool_choice"),
    ({"tools": 7}, "invalid_type", "session.tools"),
    ({"volume": 11}, "unknown_parameter", "session.volume"),
    ({"type": "transcription"}, "invalid_value", "session.type"),
    ({"output_modalities": ["smell"]}, "invalid_value", "session.output_modalities"),
    ({"audio": {"input": {"format": {"type": "audio/pcm", "rate": 12345}}}}, "invalid_value",
     "session.audio.input.format.rate"),
    ({"audio": listening({"type": "telepathy"})}, "invalid_value", "session.audio.input.turn_detection.type"),
    ({"audio": listening({"type": "server_vad", "interrupt_response": False})}, "unsupported",
     "session.audio.input.turn_detection.interrupt_response"),
    ({"audio": {"output": {"speed": 9}}}, "invalid_value", "session.audio.output.speed"),
    ({"tutor": {"level": "C7"}}, "invalid_value", "session.tutor.level"),
])  # fmt: skip
def test_what_can_t_be_is_refused_by_name_and_changes_nothing(session: object, code: str, param: str) -> None:
    desk = Desk()
    desk.client("session.update", session=session, event_id="mine")
    assert (desk.error()["code"], desk.error()["param"], desk.error()["event_id"]) == (code, param, "mine")
    assert "session.updated" not in desk.kinds()


def test_formats_stand_once_the_session_has_begun() -> None:
    desk = Desk().begins()
    desk.client("session.update", session={"audio": {"output": {"format": {"type": "audio/pcmu"}}}})
    assert desk.error()["code"] == "invalid_value"


@pytest.mark.parametrize(("text", "code"), [
    ("hello", "invalid_json"), ("[" * 100_000, "invalid_json"), ("[]", "invalid_type"),
    ("{}", "missing_required_parameter"),
    (json.dumps({"type": "response.sing"}), "invalid_value"), (json.dumps({"type": 7}), "invalid_type"),
    (json.dumps({"type": "session.update"}), "missing_required_parameter"),
    (json.dumps({"type": "output_audio_buffer.clear"}), "unsupported"),
])  # fmt: skip
def test_what_is_no_event_is_answered_with_an_error(text: str, code: str) -> None:
    desk = Desk().begins()
    desk.says(text)
    assert desk.error()["code"] == code


def test_a_session_opened_by_a_personal_access_token_renews_itself() -> None:
    desk = Desk(lasting_key="vvk_mine").begins()
    desk.converse(access_expiring=converse_pb.AccessExpiring())
    assert desk.last_asked("refresh_access").access_token == "vvk_mine"
    assert "tutor.access_expiring" not in desk.kinds()


def test_others_are_told_that_their_access_expires() -> None:
    desk = Desk().begins()
    desk.converse(access_expiring=converse_pb.AccessExpiring())
    assert "tutor.access_expiring" in desk.kinds()
