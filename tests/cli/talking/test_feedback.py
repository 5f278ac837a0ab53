"""What was found in a turn, as a line for people."""

import pytest
from vivavoce.conversation.v1 import converse_pb2 as converse_pb
from vivavoce.type.v1 import feedback_pb2 as feedback_pb
from vivavoce.type.v1 import learner_pb2 as learner_pb

from cli.talking.feedback import line_of

WORD = feedback_pb.LeveledWord(word="deadline", level=learner_pb.CEFR_LEVEL_B1)
SOUND = feedback_pb.PronouncedWord(word="think", score=0.3, expected_sounds="θink", heard_sounds="sink")


@pytest.mark.parametrize(
    ("remark", "line"),
    [
        (
            feedback_pb.Remark(fluency=feedback_pb.Fluency(words_per_minute=96.4, pause_count=1, filler_count=2)),
            'pace: 96 words a minute, 1 pause, 2 x "um"',
        ),
        (
            feedback_pb.Remark(
                vocabulary=feedback_pb.Vocabulary(level=learner_pb.CEFR_LEVEL_A2, words=[WORD]),
            ),
            "well chosen, above A2: deadline (B1)",
        ),
        (
            feedback_pb.Remark(pronunciation=feedback_pb.Pronunciation(approximate=True, words=[SOUND])),
            "listen again to (a guess): think /sink/, usually /θink/",
        ),
        (feedback_pb.Remark(), ""),
    ],
)
def test_a_remark_is_one_line(remark: feedback_pb.Remark, line: str) -> None:
    assert line_of(converse_pb.FeedbackGiven(remark=remark)) == line


def test_a_slip_is_told_as_it_should_be() -> None:
    assert line_of(converse_pb.FeedbackGiven(correction=feedback_pb.Correction(better="went"))) == "better: went"
