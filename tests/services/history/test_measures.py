"""What is counted of a conversation, checked against sums done by hand."""

import pytest

from services.history.domain.half_life import half_life_days
from services.history.domain.happenings import Content, Happening, Heard, Said, Slip, SlipKind
from services.history.domain.histogram import one_wait, percentile_ms, waits
from services.history.domain.measures import (
    QUARTER_US,
    Counts,
    Measures,
    Quarter,
    count,
    packed,
    unpacked,
    with_words,
    words_said,
)
from services.history.domain.words import search_words, words

SECOND_US = 1_000_000
ANOTHER = Counts(turns=2, words=9)


def at(seconds: float, content: Content, name: str = "cnv_1") -> Happening:
    return Happening(name, 1, "usr_1", int(seconds * SECOND_US), content)


def spoken(text: str, spoken_ms: int, *words_ms: tuple[int, int]) -> Said:
    return Said(text, spoken_ms=spoken_ms, words_ms=words_ms)


#: A minute and a half in a café, counted by hand below.
TALK = [
    at(10, Heard("Good morning! What can I get you?", heard_ms=2400)),
    # Began 3.0 s after the reply: 17.5 - 4.5 - 10. Pauses of 600 ms and 250 ms, and one of 249 ms, which is none.
    at(
        17.5,
        spoken(
            "Um, I I would like a tea, please.",
            4500,
            (0, 300), (900, 1000), (1250, 1400), (1649, 2000), (2000, 2300), (2300, 2400), (2400, 3000), (3000, 4500),
        ),
    ),
    at(17.6, Slip(SlipKind.GRAMMAR)),
    at(25, Heard("A tea, of course. Anything", heard_ms=3600, interrupted=True, wait_ms=400, cost_micros=700)),
    at(28, Said("no thanks", typed=True)),
    at(29, Slip(SlipKind.OTHER)),
    # More than a minute after the reply: the learner was away.
    at(99, spoken("How much is it?", 1500)),
]  # fmt: skip


def test_a_talk_counted_by_hand() -> None:
    (quarter,) = counted = count(TALK, {})
    assert quarter == Quarter(0, "cnv_1")
    assert counted[quarter].counts == Counts(
        turns=3,
        spoken_turns=2,
        spoken_ms=6000,
        words=8 + 2 + 4,
        spoken_words=8 + 4,
        pauses=2,
        pause_ms=600 + 250,
        fillers=1,
        repairs=1,
        replies=2,
        heard_ms=6000,
        interruptions=1,
        gaps=1,
        gap_ms=3000,
        grammar_slips=1,
        other_slips=1,
        cost_micros=700,
    )
    assert waits(counted[quarter].waits) == 1
    assert sorted(words_said(TALK)[quarter])[:5] == ["a", "how", "i", "is", "it"]
    assert len(words_said(TALK)[quarter]) == 13


def test_quarters_of_an_hour_are_counted_apart() -> None:
    first, second = at(899.999, Said("one")), at(900, Said("two"))
    assert list(count([first, second], {})) == [Quarter(0, "cnv_1"), Quarter(QUARTER_US, "cnv_1")]


def test_an_answer_is_timed_from_a_reply_that_came_with_an_earlier_delivery() -> None:
    answer = at(25, spoken("Yes.", 1000))
    assert count([answer], {"cnv_1": 20 * SECOND_US})[Quarter(0, "cnv_1")].counts.gap_ms == 4000


def test_conversations_do_not_answer_each_other() -> None:
    happenings = [at(10, Heard("Hello?"), "cnv_1"), at(12, spoken("Yes.", 500), "cnv_2")]
    assert count(happenings, {})[Quarter(0, "cnv_2")].counts.gaps == 0


@pytest.mark.parametrize(
    ("text", "repaired"),
    [
        ("I go I mean I went home", True),
        ("She she likes it", True),
        ("No, wait, on Tuesday", True),
        ("It was very very good", False),
        ("I know that that is right", False),
        ("We went home", False),
    ],
)
def test_a_repair_is_told_from_a_word_that_is_doubled_on_purpose(text: str, repaired: bool) -> None:
    assert count([at(0, Said(text))], {})[Quarter(0, "cnv_1")].counts.repairs == repaired


def test_words_are_bits_by_their_numbers_and_one_without_a_number_is_left_out() -> None:
    happenings = [at(0, Said("tea or coffee"))]
    whole = with_words(count(happenings, {}), words_said(happenings), {"tea": 0, "coffee": 5})
    assert whole[Quarter(0, "cnv_1")].vocabulary == 0b100001


def test_measures_of_two_stretches_add_up() -> None:
    both = Measures(Counts(turns=1), one_wait(100), 0b011) + Measures(Counts(turns=2), one_wait(100), 0b110)
    assert both.counts.turns == 3
    assert waits(both.waits) == 2
    assert both.vocabulary == 0b111


def test_counts_side_by_side_add_up_as_they_would_apart() -> None:
    one = Counts(turns=3, heard_ms=2**40, other_slips=1)
    assert unpacked(packed(one)) == one
    assert unpacked(packed(one) + packed(ANOTHER)).turns == 3 + ANOTHER.turns
    assert unpacked(packed(one) + packed(one)) == Counts(turns=6, heard_ms=2**41, other_slips=2)
    assert unpacked(0) == Counts()


def test_counts_from_before_costs_were_counted_are_read_without_any() -> None:
    before = packed(Counts(turns=3, other_slips=1)).to_bytes(8 * 18, "little")
    assert unpacked(int.from_bytes(before, "little")) == Counts(turns=3, other_slips=1)


def test_words_are_what_a_learner_would_call_so() -> None:
    assert words("Don\u2019t you like Zoë's 2 cafés?") == ["don't", "you", "like", "zoë's", "2", "cafés"]
    assert words("a" * 10_000 + " tea") == ["tea"]
    assert search_words("Don't you like Zoë's CAFÉS?") == ["don", "t", "you", "like", "zoe", "s", "cafes"]


@pytest.mark.parametrize("wait_ms", [12.0, 99.0, 250.0, 811.0, 4000.0, 29_000.0])
def test_a_percentile_is_right_within_five_percent(wait_ms: float) -> None:
    assert percentile_ms(one_wait(wait_ms), 50) == pytest.approx(wait_ms, rel=0.05)


def test_percentiles_of_waits_counted_by_hand() -> None:
    histogram = sum(map(one_wait, [100] * 90 + [1000] * 10))
    assert waits(histogram) == 100
    assert percentile_ms(histogram, 90) == pytest.approx(100, rel=0.05)
    assert percentile_ms(histogram, 91) == pytest.approx(1000, rel=0.05)
    assert percentile_ms(0, 50) == 0


@pytest.mark.parametrize("wait_ms", [0.0, -5.0, 1e9])
def test_waits_beyond_the_buckets_go_into_the_last_ones(wait_ms: float) -> None:
    assert waits(one_wait(wait_ms)) == 1


def test_half_as_many_slips_after_twenty_days_is_a_half_life_of_twenty_days() -> None:
    assert half_life_days([(0, 100, 80), (20, 100, 40)]) == pytest.approx(20)
    assert half_life_days([(0, 100, 80), (20, 50, 20), (40, 100, 20)]) == pytest.approx(20)


@pytest.mark.parametrize(
    "talked",
    [
        [(0, 100, 40), (20, 100, 80)],
        [(0, 100, 40), (20, 100, 40)],
        [(0, 100, 4), (20, 100, 2)],
        [(0, 100, 80), (5, 100, 40)],
        [],
    ],
    ids=["more", "as many", "too few", "too short", "none"],
)
def test_there_is_no_half_life_where_slips_do_not_become_rarer_or_too_little_is_known(
    talked: list[tuple[int, int, int]],
) -> None:
    assert half_life_days(talked) is None
