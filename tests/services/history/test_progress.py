"""Progress by day, week, conversation and role-play, in the learner's time zone."""

import time
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from mesh.errors import InvalidFieldError
from services.history.domain.columns import Tally, columns_of
from services.history.domain.days import begin_of
from services.history.domain.measures import QUARTER_US, Counts, Measures
from services.history.domain.progress import Asked, Grouping, View, view
from services.history.domain.streak import streak_days

TODAY = date(2026, 11, 27)
BERLIN = ZoneInfo("Europe/Berlin")


def tally(time: str, vocabulary: int = 0, *, name: str = "cnv_1", scenario: str = "cafe", turns: int = 1) -> Tally:
    """A quarter that begins at a time in UTC."""
    start_us = int(datetime.fromisoformat(time).replace(tzinfo=UTC).timestamp()) * 1_000_000
    assert start_us % QUARTER_US == 0
    return Tally(start_us, name, scenario, Measures(Counts(turns=turns), vocabulary))


def seen(tallies: list[Tally], asked: Asked, levels: bytes = b"") -> View:
    return view(columns_of(tallies), levels, asked, TODAY)


def days(tallies: list[Tally], zone: ZoneInfo) -> list[tuple[str, int]]:
    found = seen(tallies, Asked(zone)).spans
    return [(str(done.span.day), done.counts.turns) for done in found]


def test_a_talk_over_midnight_belongs_to_two_days() -> None:
    talk = [tally("2026-06-01T21:45"), tally("2026-06-01T22:00")]
    assert days(talk, BERLIN) == [("2026-06-01", 1), ("2026-06-02", 1)]
    assert days(talk, ZoneInfo("UTC")) == [("2026-06-01", 2)]
    assert days(talk, ZoneInfo("Asia/Kathmandu")) == [("2026-06-02", 2)]


def test_a_zone_that_is_off_by_a_quarter_begins_its_days_there() -> None:
    # Midnight in Kathmandu is 18:15 UTC.
    talk = [tally("2026-06-01T18:00"), tally("2026-06-01T18:15")]
    assert days(talk, ZoneInfo("Asia/Kathmandu")) == [("2026-06-01", 1), ("2026-06-02", 1)]


def test_days_are_right_when_the_clocks_change() -> None:
    # Berlin goes from +1 to +2 on 29 March 2026 and back on 25 October: days of 23 and of 25 hours.
    spring = [
        tally("2026-03-28T22:45"),
        tally("2026-03-28T23:00"),
        tally("2026-03-29T21:45"),
        tally("2026-03-29T22:00"),
    ]
    assert days(spring, BERLIN) == [("2026-03-28", 1), ("2026-03-29", 2), ("2026-03-30", 1)]
    autumn = [
        tally("2026-10-24T21:45"),
        tally("2026-10-24T22:00"),
        tally("2026-10-25T22:45"),
        tally("2026-10-25T23:00"),
    ]
    assert days(autumn, BERLIN) == [("2026-10-24", 1), ("2026-10-25", 2), ("2026-10-26", 1)]
    assert begin_of(date(2026, 10, 26), BERLIN) - begin_of(date(2026, 10, 25), BERLIN) == timedelta(hours=25)


def test_a_day_without_midnight_begins_with_the_hour_after() -> None:
    # Beirut's clocks go from 24:00 to 01:00 on 29 March 2026.
    assert begin_of(date(2026, 3, 29), ZoneInfo("Asia/Beirut")) == datetime(2026, 3, 28, 22, 0, tzinfo=UTC)


def test_a_week_begins_on_monday_there() -> None:
    # Sunday evening in UTC, and Monday in Berlin.
    talk = [tally("2026-06-07T21:45"), tally("2026-06-07T22:00"), tally("2026-06-14T12:00")]
    found = seen(talk, Asked(BERLIN, Grouping.WEEK)).spans
    assert [(str(done.span.day), done.counts.turns) for done in found] == [("2026-06-01", 1), ("2026-06-08", 2)]


def test_by_conversation_and_by_role_play() -> None:
    talk = [
        tally("2026-06-01T10:00", name="a"),
        tally("2026-06-01T10:00", name="b", scenario=""),
        tally("2026-06-01T10:15", name="a"),
        tally("2026-06-02T10:00", name="c"),
    ]
    by_conversation = seen(talk, Asked(BERLIN, Grouping.CONVERSATION)).spans
    assert [(*each.span[1:], each.counts.turns) for each in by_conversation] == [
        ("a", "cafe", 2),
        ("b", "", 1),
        ("c", "cafe", 1),
    ]
    by_scenario = seen(talk, Asked(BERLIN, Grouping.SCENARIO)).spans
    assert [(each.span.scenario_id, each.counts.turns) for each in by_scenario] == [("cafe", 3), ("", 1)]


def test_a_word_is_new_once_and_repeated_ever_after() -> None:
    talk = [
        tally("2026-06-01T10:00", 0b0011),
        tally("2026-06-01T10:15", 0b0110),
        tally("2026-06-02T10:00", 0b1010),
    ]
    both = seen(talk, Asked(BERLIN), bytes([1, 1, 4, 0]))
    assert [(day.distinct_words, day.new_words) for day in both.spans] == [(3, 3), (2, 1)]
    assert (both.total.distinct_words, both.total.new_words) == (4, 4)
    assert both.total.words_by_level == (1, 2, 0, 0, 1, 0, 0)
    assert both.spans[1].words_by_level == (1, 1, 0, 0, 0, 0, 0)


def test_a_word_from_before_the_span_is_not_new_in_it() -> None:
    talk = [tally("2026-06-01T10:00", 0b01), tally("2026-06-02T10:00", 0b11)]
    second = talk[1].start_us
    total = seen(talk, Asked(BERLIN, start_us=second)).total
    assert (total.counts.turns, total.distinct_words, total.new_words) == (1, 2, 1)
    assert seen(talk, Asked(BERLIN, end_us=second)).total.counts.turns == 1


def test_a_span_upside_down_is_refused() -> None:
    with pytest.raises(InvalidFieldError) as refused:
        Asked(BERLIN, start_us=2, end_us=1)
    assert refused.value.field == "end_time"


def test_who_never_talked_has_made_no_progress() -> None:
    nothing = seen([], Asked(BERLIN))
    assert (nothing.total.counts, nothing.spans, nothing.streak_days, nothing.half_lives) == (Counts(), (), 0, {})
    assert nothing.total.words_per_minute == nothing.total.talk_ratio == 0


def test_ratios_by_hand() -> None:
    counts = Counts(
        turns=4, spoken_ms=30_000, heard_ms=90_000, words=50, spoken_words=40, pauses=4, pause_ms=2000, fillers=2,
        repairs=1, gaps=2, gap_ms=3000, english_turns=4, english_words=50,
    )  # fmt: skip
    total = seen([Tally(0, "a", "", Measures(counts))], Asked(BERLIN)).total
    assert (total.words_per_minute, total.talk_ratio, total.mean_pause_ms) == (80, 0.25, 500)
    assert (total.fillers_per_hundred_words, total.repairs_per_hundred_turns) == (4, 25)
    assert total.mean_response_gap_ms == 1500


@pytest.mark.parametrize(
    ("talked", "streak"),
    [
        ("", 0),
        ("0", 1),
        ("1", 1),
        ("0 1 2", 3),
        ("1 2 3", 3),
        ("0 2 3", 4),
        ("2 3", 3),
        ("0 3 4", 1),
        ("3 4", 0),
        ("0 1 3 5 6", 4),
        ("0 1 3 4 5 6 7 8 10 11", 12),
        ("0 1 3 4 5 6 7 9 10", 8),
    ],
)
def test_a_streak_counts_days_back_from_today_and_forgives_one_in_seven(talked: str, streak: int) -> None:
    """`talked` are days ago."""
    assert streak_days({TODAY - timedelta(days=int(ago)) for ago in talked.split()}, TODAY) == streak


def seconds_to_sum_up(conversations: int) -> float:
    """The least of several tries, of conversations of the same length and a vocabulary of two thousand words."""
    words = [1 << number % 2000 | 1 << number % 1000 | 0b1111 for number in range(conversations)]
    talk = [
        Tally(
            number * 7 * QUARTER_US,
            f"cnv_{number}",
            "cafe",
            Measures(Counts(turns=40), words[number], {f"wait {number % 50}": 7}),
        )
        for number in range(conversations)
    ]
    levels = bytes(number % 7 for number in range(2000))
    columns = columns_of(talk)
    tries = []
    for _ in range(7):
        began = time.thread_time()
        view(columns, levels, Asked(BERLIN), TODAY)
        tries.append(time.thread_time() - began)
    return min(tries)


def test_four_times_as_much_takes_about_four_times_as_long() -> None:
    # n log n would be 4.7 times; a square sixteen. Machines that run tests are busy.
    assert seconds_to_sum_up(8000) < 9 * seconds_to_sum_up(2000)
