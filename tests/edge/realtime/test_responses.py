"""Replies as responses: their events in OpenAI's order, how they are cut, and what counts as heard."""

import base64

import pytest
from vivavoce.conversation.v1 import converse_pb2 as converse_pb
from vivavoce.type.v1 import error_pb2 as error_pb
from vivavoce.type.v1 import failure_pb2 as failure_pb

from tests.edge.realtime.desk import RATE, Desk


def test_a_spoken_turn_and_its_reply_come_in_the_order_clients_expect() -> None:
    desk = Desk().begins()
    desk.forget()
    desk.learner_says("A tea, please.")
    desk.tutor_has_said("Of course.")
    assert desk.kinds() == [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        "conversation.item.input_audio_transcription.delta",
        "conversation.item.input_audio_transcription.completed",
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        *("response.output_audio_transcript.delta", "response.output_audio.delta") * 2,
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "response.output_item.done",
        "conversation.item.done",
        "response.done",
    ]
    done = desk.last("response.done")["response"]
    assert (done["status"], done["output"][0]["content"][0]["transcript"]) == ("completed", "Of course.")
    assert desk.last("conversation.item.added")["previous_item_id"] == "item_1"


def test_a_reply_that_sounds_before_its_turn_is_stored_comes_after_the_item_of_its_turn() -> None:
    desk = Desk().begins()
    desk.forget()
    desk.converse(speech_started=converse_pb.SpeechStarted(turn_id="trn_1", revision=1))
    desk.converse(reply_started=converse_pb.ReplyStarted(reply_id="rep_2", turn_id="trn_1"))
    assert desk.kinds().index("input_audio_buffer.committed") < desk.kinds().index("response.created")
    desk.converse(turn_committed=converse_pb.TurnCommitted(turn_id="trn_1", text="Hello."))
    assert desk.kinds().count("input_audio_buffer.committed") == 1
    assert desk.last("conversation.item.input_audio_transcription.completed")["transcript"] == "Hello."


def test_what_was_played_is_reported_by_the_clock_and_all_of_it_at_the_end() -> None:
    desk = Desk().begins()
    desk.tutor_has_said("Of course.", 2.0)
    desk.advance(1.0)
    assert 0.6 * RATE <= desk.played() <= 0.8 * RATE
    desk.advance(1.1)
    assert desk.played() == 2 * RATE


def test_a_client_that_reports_itself_is_believed() -> None:
    desk = Desk().begins()
    desk.tutor_has_said("Of course.", 2.0)
    desk.client("tutor.report_played", response_id="resp_2", samples=100)
    desk.advance(3.0)
    assert (desk.last_asked("report_played").reply_id, desk.played()) == ("rep_2", 100)


def test_an_interruption_that_the_client_truncates_counts_to_the_sample() -> None:
    desk = Desk().begins()
    desk.tutor_says("one two three four", 4.0)
    desk.advance(2.0)
    desk.learner_interrupts()
    assert desk.kinds()[-1] == "input_audio_buffer.speech_started"
    desk.client("conversation.item.truncate", item_id="item_2", content_index=0, audio_end_ms=1750)
    assert desk.played() == int(1.75 * RATE)
    assert "cancel_reply" not in desk.asked()
    desk.is_finished("INTERRUPTED", "one", 1.75)
    done = desk.last("response.done")["response"]
    assert (done["status"], done["status_details"]["reason"]) == ("cancelled", "turn_detected")
    assert desk.kinds().count("conversation.item.truncated") == 1
    desk.client("conversation.item.retrieve", item_id="item_2")
    assert desk.last("conversation.item.retrieved")["item"]["content"] == [
        {"type": "output_audio", "transcript": "one"}
    ]


def test_where_the_client_forgets_to_truncate_the_server_does() -> None:
    desk = Desk().begins()
    desk.tutor_says("one two three four", 4.0)
    desk.advance(2.0)
    desk.learner_interrupts()
    desk.advance(0.3)
    assert desk.played() == pytest.approx(2 * RATE, abs=10)
    desk.is_finished("INTERRUPTED", "one two", 2.0)
    assert desk.last("conversation.item.truncated")["audio_end_ms"] == 2000


def test_after_a_cough_a_client_that_kept_its_item_is_sent_the_rest_again() -> None:
    desk = Desk().begins()
    desk.tutor_says("one two three four", 4.0)
    desk.advance(2.0)
    desk.learner_interrupts()
    desk.advance(0.3)
    desk.forget()
    desk.converse(reply_resumed=converse_pb.ReplyResumed(reply_id="rep_2", from_sample=2 * RATE))
    assert len(base64.b64decode(desk.last("response.output_audio.delta")["delta"])) == 2 * RATE * 2
    desk.advance(1.0)
    assert 2.5 * RATE < desk.played() < 3 * RATE


def test_after_a_cough_a_client_that_truncated_is_not_bothered_again() -> None:
    desk = Desk().begins()
    desk.tutor_says("one two three four", 4.0)
    desk.advance(2.0)
    desk.learner_interrupts()
    desk.client("conversation.item.truncate", item_id="item_2", content_index=0, audio_end_ms=1750)
    desk.converse(reply_resumed=converse_pb.ReplyResumed(reply_id="rep_2", from_sample=int(1.75 * RATE)))
    assert desk.asked()[-1] == "cancel_reply"
    assert desk.kinds()[-1] == "conversation.item.truncated"


def test_truncating_beyond_the_end_is_refused() -> None:
    desk = Desk().begins()
    desk.tutor_has_said("one two", 2.0)
    desk.client("conversation.item.truncate", item_id="item_2", content_index=0, audio_end_ms=2001, event_id="mine")
    assert (desk.error()["code"], desk.error()["param"], desk.error()["event_id"]) == (
        "invalid_value",
        "audio_end_ms",
        "mine",
    )


def test_a_cancelled_response_waits_a_moment_for_what_the_client_had_played() -> None:
    desk = Desk().begins()
    desk.tutor_says("one two three four", 4.0)
    desk.advance(2.0)
    desk.client("response.cancel")
    assert "cancel_reply" not in desk.asked()
    desk.client("conversation.item.truncate", item_id="item_2", content_index=0, audio_end_ms=1750)
    assert desk.asked()[-1] == "cancel_reply"
    assert desk.played() == int(1.75 * RATE)
    desk.is_finished("CANCELLED", "one", 1.75)
    assert desk.last("response.done")["response"]["status_details"]["reason"] == "client_cancelled"


def test_a_cancelled_response_is_cancelled_also_where_nothing_more_comes() -> None:
    desk = Desk().begins()
    desk.tutor_says("one two three four", 4.0)
    desk.client("response.cancel", response_id="resp_2")
    desk.advance(0.2)
    assert desk.last_asked("cancel_reply").reply_id == "rep_2"


@pytest.mark.parametrize("fields", [{}, {"response_id": "resp_9"}])
def test_there_must_be_a_response_to_cancel(fields: dict[str, str]) -> None:
    desk = Desk().begins()
    desk.client("response.cancel", **fields)
    assert desk.error()["code"] == "response_cancel_not_active"


def test_one_response_at_a_time() -> None:
    desk = Desk().begins()
    desk.tutor_says("one two", 2.0)
    desk.client("response.create")
    assert desk.error()["code"] == "conversation_already_has_active_response"
    assert "ask_reply" not in desk.asked()


def test_a_response_asked_for_after_another_was_made_takes_that_for_heard() -> None:
    desk = Desk().begins()
    desk.tutor_has_said("one two", 2.0)
    desk.client("response.create", response={"metadata": {"topic": "tea"}})
    assert desk.asked()[-2:] == ["report_played", "ask_reply"]
    assert desk.played() == 2 * RATE
    desk.is_finished("HEARD", "one two", 2.0)
    desk.tutor_has_said("Well.", 1.0, "rep_3", "")
    assert desk.last("response.done")["response"]["metadata"] == {"topic": "tea"}


def test_a_response_in_text_brings_no_sound_and_counts_as_read() -> None:
    desk = Desk(output_modalities=["text"]).begins()
    desk.tutor_has_said("Of course.", 2.0)
    assert "response.output_audio.delta" not in desk.kinds()
    assert desk.last("response.output_text.done")["text"] == "Of course."
    desk.advance(0.1)
    assert desk.played() == 2 * RATE


def test_a_response_beside_the_conversation_leaves_no_item() -> None:
    desk = Desk().begins()
    said = [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "What is a bill?"}]}]
    desk.client("response.create", response={"conversation": "none", "input": said, "metadata": {"for": "me"}})
    assert desk.last_asked("ask_reply").aside == "What is a bill?"
    desk.forget()
    desk.tutor_has_said("What you pay.", 1.0, turn="")
    done = desk.last("response.done")["response"]
    assert (done["conversation_id"], done["metadata"]) == (None, {"for": "me"})
    assert "conversation.item.added" not in desk.kinds()


def test_a_reply_that_fails_before_it_begins_is_a_failed_response() -> None:
    desk = Desk().begins()
    desk.client("response.create")
    failure = failure_pb.Failure(reason=error_pb.ERROR_REASON_PROVIDER_FAILED, message="It is away.")
    desk.converse(error_raised=converse_pb.ErrorRaised(failure=failure))
    assert desk.error()["code"] == "provider_failed"
    assert desk.last("response.done")["response"]["status"] == "failed"


def test_g711_goes_out_as_it_was_chosen() -> None:
    desk = Desk(audio={"output": {"format": {"type": "audio/pcmu"}}}).begins()
    assert desk.requests[0].start_session.output_audio.sample_rate_hz == 8000
    desk.converse(reply_started=converse_pb.ReplyStarted(reply_id="rep_2"))
    desk.converse(reply_audio=converse_pb.ReplyAudio(reply_id="rep_2", pcm=bytes(1600)))
    assert base64.b64decode(desk.last("response.output_audio.delta")["delta"]) == b"\xff" * 800
