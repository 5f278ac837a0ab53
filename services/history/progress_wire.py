"""Progress as the contract has it."""

from collections.abc import Mapping
from datetime import tzinfo
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp
from vivavoce.history.v1 import history_pb2 as history_pb
from vivavoce.history.v1 import history_service_pb2 as service_pb

from services.history.domain.languages import Measure
from services.history.domain.progress import Asked, Grouping, Progress, View, begin_of
from services.history.domain.providers import Performance, Spent
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
    """The answer."""
    total = _progress(seen.total, zone)
    total.streak_days = seen.streak_days
    total.slip_half_life_days.update(seen.half_lives)
    total.slip_topic_half_life_days.update(seen.topic_half_lives)
    return service_pb.GetProgressResponse(total=total, spans=[_progress(each, zone) for each in seen.spans])


def _progress(done: Progress, zone: tzinfo) -> history_pb.Progress:
    counts = done.counts
    return history_pb.Progress(
        spoken_seconds=counts.spoken_ms / 1000,
        heard_seconds=counts.heard_ms / 1000,
        words_per_minute=done.words_per_minute,
        turn_count=counts.turns,
        distinct_words=done.distinct_words,
        new_words=done.new_words,
        slips=done.slips,
        start_time=_begin(done, zone),
        date=done.day.isoformat() if done.day else "",
        conversation_id=done.conversation_id,
        scenario_id=done.scenario_id,
        talk_ratio=done.talk_ratio,
        word_count=counts.words,
        repeated_words=done.distinct_words - done.new_words,
        words_by_level=_by_level(done),
        pause_count=counts.pauses,
        mean_pause_ms=done.mean_pause_ms,
        fillers_per_hundred_words=done.fillers_per_hundred_words,
        repairs_per_hundred_turns=done.repairs_per_hundred_turns,
        interruption_count=counts.interruptions,
        mean_response_gap_ms=done.mean_response_gap_ms,
        reply_wait_p50_ms=done.waits.p50_ms,
        reply_wait_p95_ms=done.waits.p95_ms,
        cost_micros=counts.cost_micros,
        provider_spending=map(_spending, done.providers.spent),
        provider_performance=map(_performance, done.providers.performances),
        slips_by_topic=done.topics,
        swapped_sounds=_sounds(done),
        unavailable=[
            history_pb.UnavailableMeasure(measure=_MEASURES[measure], languages=done.other_languages)
            for measure in done.unavailable
        ],
    )


def _by_level(done: Progress) -> dict[str, int]:
    """Words by level; none where nothing was said in the one language that has levels."""
    if done.other_languages and not done.counts.english_turns:
        return {}
    return {_LEVELS[level]: number for level, number in enumerate(done.words_by_level) if number}


def _sounds(done: Progress) -> list[history_pb.SwappedSound]:
    often_first = sorted(done.sounds.items(), key=lambda each: (-each[1], each[0]))
    return [
        history_pb.SwappedSound(expected=expected, heard=heard, count=number)
        for (expected, heard), number in often_first
    ]


def _spending(spent: Spent) -> history_pb.ProviderSpending:
    return history_pb.ProviderSpending(
        provider=spent.provider, currency=spent.currency, cost_micros=spent.cost_micros, unknown=spent.unknown
    )


def _performance(done: Performance) -> history_pb.ProviderPerformance:
    return history_pb.ProviderPerformance(
        provider=done.provider,
        role=_ROLES[done.role],
        answered_count=done.answered,
        failed_count=done.failed,
        abandoned_count=done.abandoned,
        failures=done.failures,
        first_p50_ms=done.first.p50_ms,
        first_p95_ms=done.first.p95_ms,
        first_p99_ms=done.first.p99_ms,
    )


def _begin(done: Progress, zone: tzinfo) -> Timestamp | None:
    return Timestamp(seconds=int(begin_of(done.day, zone).timestamp())) if done.day else None
