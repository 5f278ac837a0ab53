"""What a learner did in a span of time: sums of quarters, by day, week, conversation or role-play."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import Enum
from typing import Final, NamedTuple, TypeVar, assert_never

from mesh.errors import InvalidFieldError
from services.history.domain.half_life import half_life_days
from services.history.domain.histogram import percentile_ms
from services.history.domain.measures import Counts, unpacked
from services.history.domain.streak import streak_days

#: Levels of words, from A1; 0 is that of words whose level is not known.
LEVELS: Final = range(7)
_SLIP_COLUMNS: Final = {
    kind: Counts._fields.index(f"{kind}_slips") for kind in ("grammar", "vocabulary", "pronunciation", "other")
}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

Key = TypeVar("Key", date, str)


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


class Tally(NamedTuple):
    """What was counted of a quarter of an hour of a conversation; a tuple, for a year has ten thousand."""

    start_us: int
    conversation_id: str
    scenario_id: str
    waits: int
    vocabulary: int
    #: Side by side in one integer: see `measures.packed`.
    counts: int


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

    def holds(self, tally: Tally) -> bool:
        """Whether a quarter is in the span."""
        return (self.start_us is None or tally.start_us >= self.start_us) and (
            self.end_us is None or tally.start_us < self.end_us
        )


@dataclass(frozen=True, slots=True)
class Progress:
    """What was done. `day` is the day, or the Monday of the week; the ids are those of what was grouped by."""

    counts: Counts
    waits: int
    vocabulary: int
    #: Words that were said for the first time.
    new_words: int
    #: Different words by level.
    words_by_level: tuple[int, ...]
    day: date | None = None
    conversation_id: str = ""
    scenario_id: str = ""

    def with_new_words(self, number: int) -> "Progress":
        """The same with so many words said for the first time."""
        return replace(self, new_words=number)

    @property
    def distinct_words(self) -> int:
        """Different words said."""
        return self.vocabulary.bit_count()

    @property
    def slips(self) -> dict[str, int]:
        """Slips by kind, those that were made."""
        return {kind: self.counts[column] for kind, column in _SLIP_COLUMNS.items() if self.counts[column]}

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
        return _ratio(self.counts.fillers * 100, self.counts.words)

    @property
    def repairs_per_hundred_turns(self) -> float:
        """How often the learner mended what they were saying."""
        return _ratio(self.counts.repairs * 100, self.counts.turns)

    @property
    def mean_response_gap_ms(self) -> float:
        """How long the learner took to answer."""
        return _ratio(self.counts.gap_ms, self.counts.gaps)

    def wait_ms(self, percent: float) -> float:
        """How long that part of the replies was waited for at most."""
        return percentile_ms(self.waits, percent)


@dataclass(frozen=True, slots=True)
class View:
    """A span as a whole, and each day, week, conversation or role-play in it that something happened in."""

    total: Progress
    spans: tuple[Progress, ...]
    streak_days: int
    #: Days after which half as many slips of a kind are made; only for kinds that become rarer.
    half_lives: Mapping[str, float]


def view(tallies: Sequence[Tally], levels: Iterable[tuple[int, int]], asked: Asked, today: date) -> View:
    """Sums up a person's quarters, in order of time; `levels` are those of their words by number."""
    masks = _masks(levels)
    held, new = _held(tallies, asked)
    days = _days(held, asked.zone)
    talked = _by_day(held, days)
    return View(
        total=_summed(held, new, masks),
        spans=tuple(_spans(held, new, days, masks, asked.grouping)),
        streak_days=streak_days({day for day, counts in talked.items() if counts.turns}, today),
        half_lives=_half_lives(talked),
    )


def begin_of(day: date, zone: tzinfo) -> datetime:
    """When a day begins in a time zone. Where midnight is skipped, the day begins with the hour after."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _held(tallies: Sequence[Tally], asked: Asked) -> tuple[list[Tally], list[int]]:
    """The quarters in the span, and the words each is the first to hold of all there ever were."""
    held: list[Tally] = []
    new: list[int] = []
    seen = 0
    for tally in tallies:
        if asked.holds(tally):
            held.append(tally)
            new.append(tally.vocabulary & ~seen)
        seen |= tally.vocabulary
    return held, new


def _days(held: Sequence[Tally], zone: tzinfo) -> list[date]:
    """The day of each; as they come in order of time, only the first of a day has to be looked up."""
    days: list[date] = []
    day, ends_us = date.min, 0
    for tally in held:
        if not days or tally.start_us >= ends_us:
            day = (_EPOCH + timedelta(microseconds=tally.start_us)).astimezone(zone).date()
            ends_us = (begin_of(day + timedelta(days=1), zone) - _EPOCH) // timedelta(microseconds=1)
        days.append(day)
    return days


def _by_day(held: Sequence[Tally], days: Sequence[date]) -> dict[date, Counts]:
    talked: dict[date, int] = {}
    for day, tally in zip(days, held, strict=True):
        talked[day] = talked.get(day, 0) + tally.counts
    return {day: unpacked(counts) for day, counts in talked.items()}


def _spans(
    held: Sequence[Tally], new: Sequence[int], days: Sequence[date], masks: Sequence[int], grouping: Grouping
) -> Iterable[Progress]:
    match grouping:
        case Grouping.DAY:
            for day, some, fresh in _grouped(held, new, days):
                yield _summed(some, fresh, masks, day=day)
        case Grouping.WEEK:
            mondays = [day - timedelta(days=day.weekday()) for day in days]
            for monday, some, fresh in _grouped(held, new, mondays):
                yield _summed(some, fresh, masks, day=monday)
        case Grouping.CONVERSATION:
            for name, some, fresh in _grouped(held, new, [tally.conversation_id for tally in held]):
                yield _summed(some, fresh, masks, conversation_id=name, scenario_id=some[0].scenario_id)
        case Grouping.SCENARIO:
            for name, some, fresh in _grouped(held, new, [tally.scenario_id for tally in held]):
                yield _summed(some, fresh, masks, scenario_id=name)
        case _:
            assert_never(grouping)


def _grouped(
    held: Sequence[Tally], new: Sequence[int], keys: Sequence[Key]
) -> Iterable[tuple[Key, list[Tally], list[int]]]:
    """By key, in the order in which each comes first."""
    groups: dict[Key, tuple[list[Tally], list[int]]] = {}
    for key, tally, fresh in zip(keys, held, new, strict=True):
        some, words = groups.setdefault(key, ([], []))
        some.append(tally)
        words.append(fresh)
    return ((key, some, words) for key, (some, words) in groups.items())


def _summed(
    held: Sequence[Tally],
    new: Sequence[int],
    masks: Sequence[int],
    *,
    day: date | None = None,
    conversation_id: str = "",
    scenario_id: str = "",
) -> Progress:
    vocabulary = waits = 0
    for tally in held:
        vocabulary |= tally.vocabulary
        waits += tally.waits
    return Progress(
        counts=unpacked(sum(tally.counts for tally in held)),
        waits=waits,
        vocabulary=vocabulary,
        new_words=sum(map(int.bit_count, new)),
        words_by_level=tuple((vocabulary & mask).bit_count() for mask in masks),
        day=day,
        conversation_id=conversation_id,
        scenario_id=scenario_id,
    )


def _masks(levels: Iterable[tuple[int, int]]) -> list[int]:
    """The bits of the words of each level."""
    known = list(levels)
    digits = bytearray(b"?" * (max((number for number, _ in known), default=0) + 1))
    for number, level in known:
        digits[-1 - number] = level
    return [int(digits.translate(_ONLY[level]), 2) for level in LEVELS]


#: Of digits that are levels, those of one level become 1, all others 0.
_ONLY: Final = [bytes(ord("1") if digit == level else ord("0") for digit in range(256)) for level in LEVELS]


def _half_lives(talked: Mapping[date, Counts]) -> dict[str, float]:
    found = {
        kind: half_life_days([(day.toordinal(), counts.turns, counts[column]) for day, counts in talked.items()])
        for kind, column in _SLIP_COLUMNS.items()
    }
    return {kind: days for kind, days in found.items() if days is not None}


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
