"""Translates a report to the contract: what it says in English, and what that is about for other languages."""

from typing import Final

from vivavoce.history.v1 import history_pb2 as history_pb
from vivavoce.type.v1 import feedback_pb2 as feedback_pb

from services.history.domain.advice import Advice
from services.history.domain.happenings import Slip, SlipKind
from services.history.domain.praise import PraiseTopic
from services.history.domain.report import Report

_KINDS: Final = {
    SlipKind.OTHER: feedback_pb.CORRECTION_KIND_UNSPECIFIED,
    SlipKind.GRAMMAR: feedback_pb.CORRECTION_KIND_GRAMMAR,
    SlipKind.VOCABULARY: feedback_pb.CORRECTION_KIND_VOCABULARY,
    SlipKind.PRONUNCIATION: feedback_pb.CORRECTION_KIND_PRONUNCIATION,
}
_PRAISED: Final = {
    PraiseTopic.LISTENED: history_pb.PRAISE_TOPIC_LISTENED,
    PraiseTopic.FIRST_TALK: history_pb.PRAISE_TOPIC_FIRST_TALK,
    PraiseTopic.NO_SLIP: history_pb.PRAISE_TOPIC_NO_SLIP,
    PraiseTopic.PACE: history_pb.PRAISE_TOPIC_PACE,
    PraiseTopic.LENGTH: history_pb.PRAISE_TOPIC_LENGTH,
    PraiseTopic.PROMPTNESS: history_pb.PRAISE_TOPIC_PROMPTNESS,
    PraiseTopic.NEW_WORDS: history_pb.PRAISE_TOPIC_NEW_WORDS,
    PraiseTopic.KEPT_GOING: history_pb.PRAISE_TOPIC_KEPT_GOING,
}
_ADVISED: Final = {
    Advice.USE: history_pb.ADVICE_USE,
    Advice.GRAMMAR: history_pb.ADVICE_GRAMMAR,
    Advice.VOCABULARY: history_pb.ADVICE_VOCABULARY,
    Advice.PRONUNCIATION: history_pb.ADVICE_PRONUNCIATION,
    Advice.CORRECTIONS: history_pb.ADVICE_CORRECTIONS,
    Advice.SENTENCES: history_pb.ADVICE_SENTENCES,
    Advice.TELL: history_pb.ADVICE_TELL,
    Advice.SILENCE: history_pb.ADVICE_SILENCE,
    Advice.ROLE_PLAY: history_pb.ADVICE_ROLE_PLAY,
    Advice.TOMORROW: history_pb.ADVICE_TOMORROW,
}


def report_pb(report: Report) -> history_pb.Report:
    """The report as clients get it: in English sentences, and what they are about."""
    praised, step = report.praise, report.next_step
    return history_pb.Report(
        praise=str(praised),
        corrections=map(_correction_pb, report.corrections),
        new_words=report.new_words,
        next_step=str(step),
        praise_facts=history_pb.PraiseFacts(
            topic=_PRAISED[praised.topic],
            turn_count=praised.turns,
            distinct_words=praised.distinct_words,
            new_words=praised.new_words,
            now=praised.now,
            before=praised.before,
        ),
        next_step_facts=history_pb.NextStepFacts(advice=_ADVISED[step.advice], phrase=step.phrase),
    )


def _correction_pb(slip: Slip) -> feedback_pb.Correction:
    return feedback_pb.Correction(
        kind=_KINDS[slip.kind],
        said=slip.said,
        better=slip.better,
        explanation=slip.explanation,
        start=slip.start,
        end=slip.end,
    )
