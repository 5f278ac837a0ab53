"""What a learner did in a span of time: sums of quarters, by day, week, conversation or role-play."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, tzinfo
from enum import Enum
from typing import Final, NamedTuple, assert_never

import numpy as np

from mesh.errors import InvalidFieldError
from services.history.domain.arrays import Held, Numbers, Rows
from services.history.domain.columns import Columns
from services.history.domain.days import begins_a_day, days_of
from services.history.domain.half_life import half_life_days
from services.history.domain.histogram import Waits, waits_of
from services.history.domain.languages import Measure, is_english
from services.history.domain.measures import Counts
from services.history.domain.named import parts_of
from services.history.domain.providers import Providers, providers_of
from services.history.domain.streak import streak_days
from services.history.domain.sums import Sums

_SLIP_COLUMNS: Final = {
    kind: Counts._fields.index(f"{kind}_slips") for kind in ("grammar", "vocabulary", "pronunciation", "other")
}
_TURNS: Final = Counts._fields.index("turns")


def check_range(start_us: int | None, end_us: int | None) -> None:
    """Refuses a range that is upside down.

    Raises:
        InvalidFieldError: it is.
    """
    if start_us is not None and end_us is not None and end_us < start_us:
        raise InvalidFieldError("end_time is before start_time; exchange them.", field="end_time")


class Grouping(Enum):
    """What a span is."""

    DAY = "day"
    WEEK = "week"
    CONVERSATION = "conversation"
    SCENARIO = "scenario"


@dataclass(frozen=True, slots=True)
class Asked:
    """Which span of a person's talk, in which time zone. Quarters of an hour that begin in it are in it."""

    zone: tzinfo
    grouping: Grouping = Grouping.DAY
    start_us: int | None = None
    end_us: int | None = None

    def __post_init__(self) -> None:
        """Refuses a span that is upside down."""
        check_range(self.start_us, self.end_us)

    @property
    def days_are_enough(self) -> bool:
        """Whether it can be told from days of its time zone: by day or week, from when a day begins until another."""
        ends = (self.start_us, self.end_us)
        by_days = self.grouping in (Grouping.DAY, Grouping.WEEK)
        return by_days and all(end_us is None or begins_a_day(end_us, self.zone) for end_us in ends)

    def held(self, columns: Columns) -> Held:
        """Which rows are in the span."""
        held = np.ones(len(columns), np.bool_)
        if self.start_us is not None:
            held &= columns.start_us >= self.start_us
        if self.end_us is not None:
            held &= columns.start_us < self.end_us
        return held


class Span(NamedTuple):
    """Which span: the day, or the Monday of the week; the ids of what was grouped by. Nothing is all that was asked."""

    day: date | None = None
    conversation_id: str = ""
    scenario_id: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """What was done in a span."""

    span: Span
    counts: Counts
    vocabulary: int
    #: Words that were said for the first time.
    new_words: int
    #: Different words by level.
    words_by_level: tuple[int, ...]
    #: How long replies were waited for.
    waits: Waits
    providers: Providers
    #: Slips by topic, and sounds as they should be and were; both of English only.
    topics: Mapping[str, int]
    sounds: Mapping[tuple[str, str], int]
    #: Other languages than English in which something was said.
    other_languages: tuple[str, ...]

    @property
    def distinct_words(self) -> int:
        """Different words said."""
        return self.vocabulary.bit_count()

    @property
    def slips(self) -> dict[str, int]:
        """Slips by kind, those that were made."""
        return {kind: self.counts[column] for kind, column in _SLIP_COLUMNS.items() if self.counts[column]}

    @property
    def unavailable(self) -> tuple[Measure, ...]:
        """What is not told of the other languages."""
        if not self.other_languages:
            return ()
        return tuple(measure for measure in Measure if measure is not Measure.SLIPS or not self.slips)

    @property
    def words_per_minute(self) -> float:
        """Pace while speaking."""
        return _ratio(self.counts.spoken_words * 60_000, self.counts.spoken_ms)

    @property
    def talk_ratio(self) -> float:
        """The learner's share of all that was said aloud."""
        return _ratio(self.counts.spoken_ms, self.counts.spoken_ms + self.counts.heard_ms)

    @property
    def mean_pause_ms(self) -> float:
        """How long a pause within a turn was."""
        return _ratio(self.counts.pause_ms, self.counts.pauses)

    @property
    def fillers_per_hundred_words(self) -> float:
        """How often the learner filled a pause."""
        return _ratio(self.counts.fillers * 100, self.counts.english_words)

    @property
    def repairs_per_hundred_turns(self) -> float:
        """How often the learner mended what they were saying."""
        return _ratio(self.counts.repairs * 100, self.counts.english_turns)

    @property
    def mean_response_gap_ms(self) -> float:
        """How long the learner took to answer."""
        return _ratio(self.counts.gap_ms, self.counts.gaps)


@dataclass(frozen=True, slots=True)
class View:
    """A span as a whole, and each day, week, conversation or role-play in it that something happened in."""

    total: Progress
    spans: tuple[Progress, ...]
    streak_days: int
    #: Days after which half as many slips of a kind are made; only for kinds that become rarer.
    half_lives: Mapping[str, float]
    topic_half_lives: Mapping[str, float]


def view(columns: Columns, levels: bytes, asked: Asked, today: date) -> View:
    """Sums up a person's quarters; `levels` are those of their words by number."""
    held = asked.held(columns)
    days, day_of = days_of(columns.start_us[held], asked.zone)
    by_day = Sums.of(columns, held, day_of, len(days), levels)
    return View(
        total=_progress(by_day.whole(levels), [Span()])[0],
        spans=tuple(_spans(columns, held, days, day_of, by_day, levels, asked.grouping)),
        streak_days=streak_days({day for day, done in zip(days, by_day.counts, strict=True) if done[_TURNS]}, today),
        half_lives=_half_lives(days, by_day, {kind: by_day.counts[:, place] for kind, place in _SLIP_COLUMNS.items()}),
        topic_half_lives=_half_lives(days, by_day, by_day.named_below("topic")),
    )


def sum_up(columns: Columns, held: Held) -> Progress:
    """What was done in some of the quarters as a whole; the levels of words are not told."""
    together = np.zeros(np.count_nonzero(held), np.intp)
    (whole,) = _progress(Sums.of(columns, held, together, 1, b""), [Span()])
    return whole


def _spans(
    columns: Columns, held: Held, days: Sequence[date], day_of: Rows, by_day: Sums, levels: bytes, grouping: Grouping
) -> list[Progress]:
    match grouping:
        case Grouping.DAY:
            return _progress(by_day, map(Span, days))
        case Grouping.WEEK:
            mondays, week_of_day = _numbered([day.toordinal() - day.weekday() for day in days])
            weeks = Sums.of(columns, held, week_of_day[day_of], len(mondays), levels)
            return _progress(weeks, [Span(date.fromordinal(monday)) for monday in mondays])
        case Grouping.CONVERSATION:
            numbers, conversation_of = _numbered(columns.conversation[held])
            sums = Sums.of(columns, held, conversation_of, len(numbers), levels)
            named = [Span(None, columns.conversations[number], columns.scenarios[number]) for number in numbers]
            return _progress(sums, named)
        case Grouping.SCENARIO:
            scenarios = sorted(set(columns.scenarios))
            scenario_of = np.array([scenarios.index(each) for each in columns.scenarios], np.intp)
            numbers, group = _numbered(scenario_of[columns.conversation[held]])
            sums = Sums.of(columns, held, group, len(numbers), levels)
            return _progress(sums, [Span(scenario_id=scenarios[number]) for number in numbers])
        case _:
            assert_never(grouping)


def _numbered(keys: Sequence[int] | Rows) -> tuple[list[int], Rows]:
    """The different keys in the order in which each comes first, and which of them each is."""
    different, first, which = np.unique(np.asarray(keys, np.intp), return_index=True, return_inverse=True)
    order = np.argsort(first)
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return different[order].tolist(), place[which]


def _progress(sums: Sums, spans: Iterable[Span]) -> list[Progress]:
    return [
        Progress(
            span,
            Counts._make(counts),
            int.from_bytes(vocabulary.tobytes(), "little"),
            new_words,
            tuple(levels),
            waits,
            providers,
            topics,
            {(parts_of(name)[0], parts_of(name)[1]): number for name, number in sounds.items()},
            tuple(sorted(language for language in languages if not is_english(language))),
        )
        for span, counts, vocabulary, new_words, levels, waits, providers, topics, sounds, languages in zip(
            spans,
            sums.counts.tolist(),
            sums.vocabulary,
            sums.new_words.tolist(),
            sums.words_by_level.tolist(),
            waits_of(sums.named_below("wait"), len(sums.counts)),
            providers_of(sums),
            sums.each_below("topic"),
            sums.each_below("sound"),
            sums.each_below("turns"),
            strict=True,
        )
    ]


def _half_lives(days: Sequence[date], by_day: Sums, slips: Mapping[str, Numbers]) -> dict[str, float]:
    ordinals = np.array([day.toordinal() for day in days], np.float64)
    found = {kind: half_life_days(ordinals, by_day.counts[:, _TURNS], made) for kind, made in slips.items()}
    return {kind: days for kind, days in found.items() if days is not None}


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
