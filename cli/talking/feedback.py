"""What was found in a turn, as a line for people."""

from typing import assert_never

from vivavoce.conversation.v1 import converse_pb2 as converse_pb
from vivavoce.type.v1 import feedback_pb2 as feedback_pb
from vivavoce.type.v1 import learner_pb2 as learner_pb


def line_of(given: converse_pb.FeedbackGiven) -> str:
    """The line; empty for what a later server knows and this program does not."""
    if not given.HasField("remark"):
        return f"better: {given.correction.better}"
    match given.remark.WhichOneof("about"):
        case "fluency":
            return _fluency(given.remark.fluency)
        case "vocabulary":
            words = (f"{word.word} ({_level(word.level)})" for word in given.remark.vocabulary.words)
            return f"well chosen, above {_level(given.remark.vocabulary.level)}: {', '.join(words)}"
        case "pronunciation":
            return _pronunciation(given.remark.pronunciation)
        case None:
            return ""
        case unknown:
            assert_never(unknown)


def _fluency(fluency: feedback_pb.Fluency) -> str:
    pauses = f"{fluency.pause_count} pause{'' if fluency.pause_count == 1 else 's'}"
    parts = [f"{fluency.words_per_minute:.0f} words a minute", pauses]
    if fluency.filler_count:
        parts.append(f'{fluency.filler_count} x "um"')
    return f"pace: {', '.join(parts)}"


def _pronunciation(pronunciation: feedback_pb.Pronunciation) -> str:
    guess = " (a guess)" if pronunciation.approximate else ""
    return f"listen again to{guess}: {', '.join(map(_sounded, pronunciation.words))}"


def _sounded(word: feedback_pb.PronouncedWord) -> str:
    if not word.heard_sounds:
        return word.word
    return f"{word.word} /{word.heard_sounds}/, usually /{word.expected_sounds}/"


def _level(level: learner_pb.CefrLevel.ValueType) -> str:
    return learner_pb.CefrLevel.Name(level).removeprefix("CEFR_LEVEL_")
