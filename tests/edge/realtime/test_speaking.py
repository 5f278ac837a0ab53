"""The learner's side: the buffer, turns ended by hand, written lines, and items."""

import base64
from typing import Any

import pytest
from vivavoce.conversation.v1 import conversation_pb2 as settings_pb
from vivavoce.conversation.v1 import converse_pb2 as converse_pb

from edge.realtime.talk import Opening
from tests.edge.realtime.desk import RATE, Desk

BY_HAND: dict[str, Any] = {"audio": {"input": {"turn_detection": None}}}


def written(text: str, **fields: object) -> dict[str, object]:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}], **fields}


def test_the_session_begins_with_the_first_event_that_needs_it_and_with_what_was_chosen_before() -> None:
    desk = Desk()
    desk.client("session.update", session={"audio": {"input": {"format": {"type": "audio/pcma"}}}})
    assert not desk.requests
    desk.client("input_audio_buffer.append", audio=base64.b64encode(bytes(160)).decode())
    first, sound = desk.requests
    assert first.start_session.input_audio.sample_rate_hz == 8000
    assert first.start_session.new_conversation.initiative == settings_pb.TUTOR_INITIATIVE_ANSWERS
    assert len(sound.append_audio.pcm) == 320


def test_sound_goes_on_in_pieces_without_gaps() -> None:
    desk = Desk().begins()
    desk.speaks(0.25)
    desk.speaks(0.02)
    pieces = [r.append_audio for r in desk.requests if r.HasField("append_audio")]
    assert [(p.first_sample, len(p.pcm) // 2) for p in pieces] == [(0, 2400), (2400, 2400), (4800, 1200), (6000, 480)]


@pytest.mark.parametrize(("audio", "code"), [("AAA", "invalid_value"), ("AAAA", "invalid_value"), (7, "invalid_type")])
def test_what_is_no_sound_is_refused_and_changes_nothing(audio: object, code: str) -> None:
    desk = Desk().begins()
    desk.client("input_audio_buffer.append", audio=audio)
    assert (desk.error()["code"], desk.error()["param"]) == (code, "audio")
    desk.speaks(0.1)
    assert desk.last_asked("append_audio").first_sample == 0


def test_by_hand_a_turn_is_committed_and_then_answered_when_asked() -> None:
    desk = Desk(**BY_HAND).begins()
    assert desk.requests[0].start_session.new_conversation.turn_taking == settings_pb.TURN_TAKING_PUSH_TO_TALK
    assert desk.requests[0].start_session.new_conversation.initiative == settings_pb.TUTOR_INITIATIVE_WAITS
    desk.speaks(1.0)
    desk.converse(speech_started=converse_pb.SpeechStarted(turn_id="trn_1", revision=1, at_sample=100))
    desk.client("input_audio_buffer.commit")
    desk.client("response.create")
    assert desk.asked()[-2:] == ["commit_turn", "ask_reply"]
    assert "input_audio_buffer.speech_started" not in desk.kinds()
    assert desk.last("input_audio_buffer.committed")["item_id"] == "item_1"
    desk.converse(turn_committed=converse_pb.TurnCommitted(turn_id="trn_1", text="A tea."))
    desk.tutor_has_said("Of course.")
    assert desk.kinds().count("input_audio_buffer.committed") == 1
    assert desk.last("conversation.item.input_audio_transcription.completed")["item_id"] == "item_1"


def test_speech_that_is_noticed_after_the_commit_belongs_to_the_item_of_the_commit() -> None:
    desk = Desk(**BY_HAND).begins()
    desk.speaks(1.0)
    desk.client("input_audio_buffer.commit")
    name = desk.last("input_audio_buffer.committed")["item_id"]
    desk.converse(turn_committed=converse_pb.TurnCommitted(turn_id="trn_1", text="A tea."))
    assert desk.last("conversation.item.input_audio_transcription.completed")["item_id"] == name


def test_an_empty_buffer_can_t_be_committed() -> None:
    desk = Desk(**BY_HAND).begins()
    desk.speaks(0.09)
    desk.client("input_audio_buffer.commit")
    assert desk.error()["code"] == "input_audio_buffer_commit_empty"
    assert "commit_turn" not in desk.asked()


def test_a_cleared_buffer_is_no_turn() -> None:
    desk = Desk(**BY_HAND).begins()
    desk.speaks(1.0)
    desk.client("input_audio_buffer.clear")
    assert desk.asked()[-1] == "discard_turn"
    assert desk.kinds()[-1] == "input_audio_buffer.cleared"
    desk.client("input_audio_buffer.commit")
    assert desk.error()["code"] == "input_audio_buffer_commit_empty"


def test_a_written_line_is_an_item_at_once_and_answered_when_asked() -> None:
    desk = Desk().begins()
    desk.client("conversation.item.create", item=written("A tea, please.", id="mine"))
    desk.client("response.create")
    submitted = desk.last_asked("submit_text")
    assert (submitted.text, submitted.reply_later) == ("A tea, please.", True)
    assert desk.asked()[-2:] == ["submit_text", "ask_reply"]
    desk.converse(reply_started=converse_pb.ReplyStarted(reply_id="rep_2", turn_id="trn_1"))
    desk.converse(turn_committed=converse_pb.TurnCommitted(turn_id="trn_1", text="A tea, please.", typed=True))
    desk.converse(reply_text=converse_pb.ReplyText(reply_id="rep_2", text="Of course."))
    assert desk.last("conversation.item.added")["previous_item_id"] == "mine"
    assert "input_audio_buffer.committed" not in desk.kinds()


def test_items_are_retrieved_and_deleted_by_id() -> None:
    desk = Desk().begins()
    desk.client("conversation.item.create", item=written("A tea.", id="mine"))
    desk.client("conversation.item.retrieve", item_id="mine")
    assert desk.last("conversation.item.retrieved")["item"]["content"] == [{"type": "input_text", "text": "A tea."}]
    desk.client("conversation.item.delete", item_id="mine")
    assert desk.last("conversation.item.deleted")["item_id"] == "mine"
    desk.client("conversation.item.retrieve", item_id="mine")
    assert desk.error()["code"] == "item_retrieve_invalid_item_id"


def test_an_item_takes_its_place_after_another_or_first() -> None:
    desk = Desk().begins()
    for name, after in (("one", ""), ("two", ""), ("between", "one"), ("first", "root"), ("last", "")):
        place = {"previous_item_id": after} if after else {}
        desk.client("conversation.item.create", item=written("A tea.", id=name), **place)
    told = [e["previous_item_id"] for e in desk.events if e["type"] == "conversation.item.added"]
    assert told == [None, "one", "one", None, "two"]
    desk.client("conversation.item.create", item=written("A tea."), previous_item_id="nowhere")
    assert desk.error()["code"] == "item_create_invalid_previous_item_id"


@pytest.mark.parametrize(("item", "code"), [
    ({"type": "function_call_output", "call_id": "1", "output": "2"}, "invalid_value"),
    ({"type": "function_call", "call_id": "1", "name": "f", "arguments": "{}"}, "unsupported"),
    ({"type": "message", "role": "system", "content": [{"type": "input_text", "text": "Be rude."}]}, "unsupported"),
    ({"type": "message", "role": "user", "content": [{"type": "input_image", "image_url": "x"}]}, "unsupported"),
    ({"type": "message", "role": "user", "content": [{"type": "input_text", "text": " "}]}, "invalid_value"),
    ({"type": "message", "role": "nobody", "content": []}, "invalid_value"),
])  # fmt: skip
def test_what_the_tutor_can_t_take_is_refused_and_says_so(item: dict[str, object], code: str) -> None:
    desk = Desk().begins()
    desk.client("conversation.item.create", item=item)
    assert desk.error()["code"] == code
    assert "submit_text" not in desk.asked()


def test_the_tutor_s_own_requests_have_a_way() -> None:
    desk = Desk().begins()
    desk.client("tutor.hold_turn", held=True)
    assert desk.last_asked("hold_turn").held
    desk.client("tutor.repeat_reply", response_id="resp_x_0001", speaking_rate=0.7)
    assert desk.last_asked("repeat_reply").reply_id == "rep_x_0001"
    desk.client("tutor.start_session", resume={})
    assert (desk.error()["code"], desk.error()["param"]) == ("invalid_value", "type")


def test_a_client_that_comes_back_goes_on_where_its_sound_was() -> None:
    desk = Desk(Opening(resume_token="ses_1.secret", after=7))
    (first,) = desk.requests
    assert (first.start_session.resume.resume_token, first.start_session.resume.last_sequence) == ("ses_1.secret", 7)
    desk.speaks(0.1)
    assert len(desk.requests) == 1
    desk.converse(session_started=converse_pb.SessionStarted(resumed=True, next_input_sample=48_000))
    desk.speaks(0.1)
    assert [r.append_audio.first_sample for r in desk.requests[1:]] == [48_000, 50_400]


def test_a_reply_that_played_at_the_cut_goes_on_under_its_name() -> None:
    desk = Desk(Opening(resume_token="ses_1.secret", after=7))
    desk.converse(session_started=converse_pb.SessionStarted(resumed=True))
    desk.converse(reply_resumed=converse_pb.ReplyResumed(reply_id="rep_x_0004", from_sample=RATE))
    audio = converse_pb.ReplyAudio(reply_id="rep_x_0004", first_sample=RATE, pcm=bytes(RATE))
    desk.converse(reply_audio=audio)
    delta = desk.last("response.output_audio.delta")
    assert (delta["response_id"], delta["item_id"]) == ("resp_x_0004", "item_x_0004")
    assert "response.created" not in desk.kinds()
    desk.advance(1.0)
    assert desk.played() > RATE


def test_feedback_comes_as_an_event_of_the_tutor_s_own_with_the_item_it_is_about() -> None:
    desk = Desk().begins()
    desk.learner_says("I want tea.")
    given = converse_pb.FeedbackGiven(turn_id="trn_1")
    given.correction.better = "I would like some tea."
    desk.converse(feedback_given=given)
    told = desk.last("tutor.feedback_given")
    assert (told["item_id"], told["correction"]["better"]) == ("item_1", "I would like some tea.")
