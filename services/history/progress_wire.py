"""Progress as the contract has it."""

from collections.abc import Mapping
from datetime import tzinfo
from typing import Final

from vivavoce.history.v1 import history_pb2 as history_pb
from vivavoce.history.v1 import history_service_pb2 as service_pb

from services.history.domain.days import begin_of
from services.history.domain.languages import Measure
from services.history.domain.progress import Asked, Grouping, Progress, Span, View
from services.history.usage import ROLES
from services.history.wire import microseconds

_GROUPINGS: Final[Mapping[service_pb.ProgressGrouping.ValueType, Grouping]] = {
    service_pb.PROGRESS_GROUPING_DAY: Grouping.DAY,
    service_pb.PROGRESS_GROUPING_WEEK: Grouping.WEEK,
    service_pb.PROGRESS_GROUPING_CONVERSATION: Grouping.CONVERSATION,
    service_pb.PROGRESS_GROUPING_SCENARIO: Grouping.SCENARIO,
}
_ROLES: Final = {role: number for number, role in ROLES.items()}
_MEASURES: Final = {
    Measure.WORD_LEVELS: history_pb.PROGRESS_MEASURE_WORD_LEVELS,
    Measure.FILLERS: history_pb.PROGRESS_MEASURE_FILLERS,
    Measure.REPAIRS: history_pb.PROGRESS_MEASURE_REPAIRS,
    Measure.SLIP_TOPICS: history_pb.PROGRESS_MEASURE_SLIP_TOPICS,
    Measure.SWAPPED_SOUNDS: history_pb.PROGRESS_MEASURE_SWAPPED_SOUNDS,
    Measure.SLIPS: history_pb.PROGRESS_MEASURE_SLIPS,
}
_LEVELS: Final = ("", "A1", "A2", "B1", "B2", "C1", "C2")


def to_asked(request: service_pb.GetProgressRequest, zone: tzinfo) -> Asked:
    """What is asked for, with days that begin in `zone`."""
    unsaid = Grouping.WEEK if request.by_week else Grouping.DAY
    return Asked(
        zone=zone,
        grouping=_GROUPINGS.get(request.grouping, unsaid),
        start_us=microseconds("start_time", request.start_time) if request.HasField("start_time") else None,
        end_us=microseconds("end_time", request.end_time) if request.HasField("end_time") else None,
    )


def from_view(seen: View, zone: tzinfo) -> service_pb.GetProgressResponse:
    """The answer. Filled in place: made apart and put in, a year of days would be copied three times."""
    answer = service_pb.GetProgressResponse()
    _tell(answer.total, seen.total, zone)
    answer.total.streak_days = seen.streak_days
    answer.total.slip_half_life_days.update(seen.half_lives)
    answer.total.slip_topic_half_life_days.update(seen.topic_half_lives)
    for each in seen.spans:
        _tell(answer.spans.add(), each, zone)
    return answer


def _tell(told: history_pb.Progress, done: Progress, zone: tzinfo) -> None:
    _tell_span(told, done.span, zone)
    _tell_talk(told, done)
    _tell_words(told, done)
    told.slips.update(done.slips)
    told.slips_by_topic.update(done.topics)
    _tell_providers(told, done)
    for (expected, heard), number in sorted(done.sounds.items(), key=lambda each: (-each[1], each[0])):
        told.swapped_sounds.add(expected=expected, heard=heard, count=number)
    for measure in done.unavailable:
        told.unavailable.add(measure=_MEASURES[measure], languages=done.other_languages)


def _tell_span(told: history_pb.Progress, span: Span, zone: tzinfo) -> None:
    if span.day is not None:
        told.start_time.seconds = int(begin_of(span.day, zone).timestamp())
        told.date = span.day.isoformat()
    told.conversation_id = span.conversation_id
    told.scenario_id = span.scenario_id


def _tell_talk(told: history_pb.Progress, done: Progress) -> None:
    told.spoken_seconds = done.counts.spoken_ms / 1000
    told.heard_seconds = done.counts.heard_ms / 1000
    told.talk_ratio = done.talk_ratio
    told.turn_count = done.counts.turns
    told.words_per_minute = done.words_per_minute
    told.pause_count = done.counts.pauses
    told.mean_pause_ms = done.mean_pause_ms
    told.fillers_per_hundred_words = done.fillers_per_hundred_words
    told.repairs_per_hundred_turns = done.repairs_per_hundred_turns
    told.interruption_count = done.counts.interruptions
    told.mean_response_gap_ms = done.mean_response_gap_ms
    told.reply_wait_p50_ms = done.waits.p50_ms
    told.reply_wait_p95_ms = done.waits.p95_ms


def _tell_words(told: history_pb.Progress, done: Progress) -> None:
    distinct = done.distinct_words
    told.word_count = done.counts.words
    told.distinct_words = distinct
    told.new_words = done.new_words
    told.repeated_words = distinct - done.new_words
    told.words_by_level.update(_by_level(done))


def _tell_providers(told: history_pb.Progress, done: Progress) -> None:
    told.cost_micros = done.counts.cost_micros
    for spent in done.providers.spent:
        told.provider_spending.add(
            provider=spent.provider, currency=spent.currency, cost_micros=spent.cost_micros, unknown=spent.unknown
        )
    for each in done.providers.performances:
        performance = told.provider_performance.add(
            provider=each.provider,
            role=_ROLES[each.role],
            answered_count=each.answered,
            failed_count=each.failed,
            abandoned_count=each.abandoned,
            first_p50_ms=each.first.p50_ms,
            first_p95_ms=each.first.p95_ms,
            first_p99_ms=each.first.p99_ms,
        )
        performance.failures.update(each.failures)


def _by_level(done: Progress) -> dict[str, int]:
    """Words by level; none where nothing was said in the one language that has levels."""
    if done.other_languages and not done.counts.english_turns:
        return {}
    return {_LEVELS[level]: number for level, number in enumerate(done.words_by_level) if number}
