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
    days = _summed(_days(held, asked.zone), held, new)
    total = _Sum()
    for each in days.values():
        total.add(each, each.new_words)
    talked = {day: unpacked(each.counts) for day, each in days.items()}
    return View(
        total=_progress(total, masks),
        spans=tuple(_spans(held, new, days, masks, asked.grouping)),
        streak_days=streak_days({day for day, counts in talked.items() if counts.turns}, today),
        half_lives=_half_lives(talked),
    )


def begin_of(day: date, zone: tzinfo) -> datetime:
    """When a day begins in a time zone. Where midnight is skipped, the day begins with the hour after."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


class _Sum:
    """Quarters added up so far, in numbers that stand side by side: a year has ten thousand to add."""

    __slots__ = ("counts", "new_words", "vocabulary", "waits")

    def __init__(self) -> None:
        self.counts = self.waits = self.vocabulary = self.new_words = 0

    def add(self, part: "Tally | _Sum", new_words: int) -> None:
        self.counts += part.counts
        self.waits += part.waits
        self.vocabulary |= part.vocabulary
        self.new_words += new_words


def _held(tallies: Sequence[Tally], asked: Asked) -> tuple[list[Tally], list[int]]:
    """The quarters in the span, and how many words each is the first to hold of all there ever were."""
    held: list[Tally] = []
    new: list[int] = []
    seen = 0
    for tally in tallies:
        grown = seen | tally.vocabulary
        if asked.holds(tally):
            held.append(tally)
            # Counting bits takes longer than all else here, and most quarters hold no new word.
            new.append((grown ^ seen).bit_count() if grown != seen else 0)
        seen = grown
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


def _spans(
    held: Sequence[Tally], new: Sequence[int], days: Mapping[date, _Sum], masks: Sequence[int], grouping: Grouping
) -> Iterable[Progress]:
    match grouping:
        case Grouping.DAY:
            for day, each in days.items():
                yield _progress(each, masks, day=day)
        case Grouping.WEEK:
            mondays = [day - timedelta(days=day.weekday()) for day in days]
            weeks = _summed(mondays, days.values(), [each.new_words for each in days.values()])
            for monday, each in weeks.items():
                yield _progress(each, masks, day=monday)
        case Grouping.CONVERSATION:
            scenarios = {tally.conversation_id: tally.scenario_id for tally in held}
            for name, each in _summed([tally.conversation_id for tally in held], held, new).items():
                yield _progress(each, masks, conversation_id=name, scenario_id=scenarios[name])
        case Grouping.SCENARIO:
            for name, each in _summed([tally.scenario_id for tally in held], held, new).items():
                yield _progress(each, masks, scenario_id=name)
        case _:
            assert_never(grouping)


def _summed(keys: Iterable[Key], parts: Iterable[Tally | _Sum], new: Iterable[int]) -> dict[Key, _Sum]:
    """Sums by key, in the order in which each comes first."""
    sums: dict[Key, _Sum] = {}
    for key, part, fresh in zip(keys, parts, new, strict=True):
        if key not in sums:
            sums[key] = _Sum()
        sums[key].add(part, fresh)
    return sums


def _progress(
    done: _Sum,
    masks: Sequence[int],
    *,
    day: date | None = None,
    conversation_id: str = "",
    scenario_id: str = "",
) -> Progress:
    return Progress(
        counts=unpacked(done.counts),
        waits=done.waits,
        vocabulary=done.vocabulary,
        new_words=done.new_words,
        words_by_level=tuple((done.vocabulary & mask).bit_count() for mask in masks),
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
