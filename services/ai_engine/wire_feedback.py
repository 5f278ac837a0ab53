"""Slips and remarks as the contract has them."""

from typing import Final, assert_never

from vivavoce.ai_engine.v1 import engine_pb2 as engine_pb
from vivavoce.type.v1 import feedback_pb2 as feedback_pb

from services.ai_engine.domain import remarks, run
from services.ai_engine.wire_context import LEVELS_OUT

_CORRECTIONS: Final = {
    "grammar": feedback_pb.CORRECTION_KIND_GRAMMAR,
    "vocabulary": feedback_pb.CORRECTION_KIND_VOCABULARY,
}


def correction(event: run.CorrectionFound) -> engine_pb.CorrectionFound:
    """A slip in a turn."""
    found = event.correction
    return engine_pb.CorrectionFound(
        turn_id=event.turn_id,
        revision=event.revision,
        reply_id=event.reply_id,
        correction=feedback_pb.Correction(
            kind=_CORRECTIONS[found.kind],
            said=found.said,
            better=found.better,
            explanation=found.explanation,
            start=found.start,
            end=found.end,
            source=found.source,
        ),
    )


def remark(made: remarks.Remark) -> feedback_pb.Remark:
    """A remark on a turn."""
    match made:
        case remarks.Fluency():
            return feedback_pb.Remark(fluency=_fluency(made))
        case remarks.Vocabulary(level, words):
            leveled = [
                feedback_pb.LeveledWord(word=w.word, level=LEVELS_OUT[w.level], start=w.start, end=w.end) for w in words
            ]
            return feedback_pb.Remark(vocabulary=feedback_pb.Vocabulary(level=LEVELS_OUT[level], words=leveled))
        case remarks.Pronunciation(source, approximate, words):
            sounded = [
                feedback_pb.PronouncedWord(
                    word=w.word,
                    score=w.score,
                    expected_sounds=w.expected_sounds,
                    heard_sounds=w.heard_sounds,
                    start=w.start,
                    end=w.end,
                )
                for w in words
            ]
            return feedback_pb.Remark(
                pronunciation=feedback_pb.Pronunciation(source=source, approximate=approximate, words=sounded)
            )
        case never:
            assert_never(never)


def _fluency(made: remarks.Fluency) -> feedback_pb.Fluency:
    return feedback_pb.Fluency(
        word_count=made.word_count,
        words_per_minute=made.words_per_minute,
        pause_count=made.pause_count,
        mean_pause_ms=made.mean_pause_ms,
        longest_pause_ms=made.longest_pause_ms,
        filler_count=made.filler_count,
    )
