"""What a client keeps of a session's events."""

import numpy as np
import pytest
from vivavoce.conversation.v1 import conversation_service_pb2 as conversation_pb
from vivavoce.conversation.v1 import converse_pb2 as converse_pb
from vivavoce.type.v1 import error_pb2 as error_pb
from vivavoce.type.v1 import failure_pb2 as failure_pb

from cli.talking.heard import Session

LOUD = np.full(2_400, 9_000, "<i2").tobytes()


def a_session_with_a_reply() -> Session:
    session = Session(24_000)
    started = converse_pb.ReplyStarted(reply_id="rep_1", turn_id="trn_1")
    session.see(conversation_pb.ConverseResponse(reply_started=started), 1.0)
    return session


def sound(pcm: bytes) -> conversation_pb.ConverseResponse:
    return conversation_pb.ConverseResponse(reply_audio=converse_pb.ReplyAudio(reply_id="rep_1", pcm=pcm))


def test_a_reply_is_audible_when_its_first_loud_sample_leaves_the_loudspeaker() -> None:
    session = a_session_with_a_reply()
    session.see(sound(bytes(2 * 2_400) + LOUD), 2.0)
    assert session.replies["rep_1"].audible_at == pytest.approx(2.1)


def test_a_loud_sample_that_comes_late_is_audible_when_it_comes() -> None:
    session = a_session_with_a_reply()
    session.see(sound(bytes(2 * 2_400)), 2.0)
    session.see(sound(LOUD), 5.0)
    assert session.replies["rep_1"].audible_at == pytest.approx(5.0)


def test_a_reply_is_found_by_its_turn() -> None:
    session = a_session_with_a_reply()
    reply = session.reply_to("trn_1")
    assert reply is not None
    assert reply.reply_id == "rep_1"
    assert session.reply_to("trn_2") is None


def test_a_reply_is_finished_by_its_outcome() -> None:
    session = a_session_with_a_reply()
    assert not session.replies["rep_1"].finished
    finished = converse_pb.ReplyFinished(reply_id="rep_1", outcome=converse_pb.REPLY_OUTCOME_HEARD)
    session.see(conversation_pb.ConverseResponse(reply_finished=finished), 3.0)
    assert session.replies["rep_1"].finished


def test_a_failure_is_kept_as_the_error_it_stands_for() -> None:
    session = a_session_with_a_reply()
    failure = failure_pb.Failure(reason=error_pb.ERROR_REASON_PROVIDER_FAILED, message="It failed.")
    session.see(conversation_pb.ConverseResponse(error_raised=converse_pb.ErrorRaised(failure=failure)), 3.0)
    assert [(error.reason, error.message) for error in session.failures] == [("PROVIDER_FAILED", "It failed.")]
