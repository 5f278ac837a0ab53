"""What is counted of a conversation, checked against sums done by hand."""

import numpy as np
import pytest

from services.history.domain.half_life import half_life_days
from services.history.domain.happenings import (
    Content,
    Happening,
    Heard,
    Remarked,
    Said,
    Slip,
    SlipKind,
    Used,
    UsedBesides,
)
from services.history.domain.histogram import Waits, bucket_of, waits_of
from services.history.domain.measures import QUARTER_US, Counts, Measures, Quarter, count
from services.history.domain.sounds import swapped_sound
from services.history.domain.words import search_words, words

SECOND_US = 1_000_000


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
    at(25, Heard("A tea. Anything", heard_ms=3600, interrupted=True, wait_ms=400, used=Used(cost_micros=700))),
    at(28, Said("no thanks", typed=True)),
    at(29, Slip(SlipKind.OTHER)),
    # More than a minute after the reply: the learner was away.
    at(99, spoken("How much is it?", 1500)),
]  # fmt: skip


def test_a_talk_counted_by_hand() -> None:
    (quarter,) = counted = count(TALK, {}, {})
    assert quarter == Quarter(0, "cnv_1")
    measures = counted[quarter].measures({})
    assert measures.counts == Counts(
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
        english_turns=3,
        english_words=8 + 2 + 4,
    )
    assert measures.named == {f"wait {bucket_of(400)}": 1, "turns en": 3, "topic other": 2}
    assert sorted(counted[quarter].words)[:5] == ["a", "how", "i", "is", "it"]
    assert len(counted[quarter].words) == 13


def test_quarters_of_an_hour_are_counted_apart() -> None:
    first, second = at(899.999, Said("one")), at(900, Said("two"))
    assert list(count([first, second], {}, {})) == [Quarter(0, "cnv_1"), Quarter(QUARTER_US, "cnv_1")]


def test_an_answer_is_timed_from_a_reply_that_came_with_an_earlier_delivery() -> None:
    answer = at(25, spoken("Yes.", 1000))
    assert count([answer], {"cnv_1": 20 * SECOND_US}, {})[Quarter(0, "cnv_1")].numbers["gap_ms"] == 4000


def test_conversations_do_not_answer_each_other() -> None:
    happenings = [at(10, Heard("Hello?"), "cnv_1"), at(12, spoken("Yes.", 500), "cnv_2")]
    assert count(happenings, {}, {})[Quarter(0, "cnv_2")].numbers["gaps"] == 0


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
    assert count([at(0, Said(text))], {}, {})[Quarter(0, "cnv_1")].numbers["repairs"] == repaired


def test_what_is_found_by_rules_for_english_is_not_looked_for_in_other_languages() -> None:
    # "Um" and "er" are words of German, and a doubled one is no repair.
    talk = [at(0, Said("Um sieben sieben kommt er")), at(1, Slip(SlipKind.GRAMMAR, "in", "an"))]
    talk.append(at(2, Remarked((("θ", "s"),))))
    (counted,) = count(talk, {}, {"cnv_1": "de-AT"}).values()
    counts = counted.measures({}).counts
    assert (counts.words, counts.english_words, counts.fillers, counts.repairs) == (5, 0, 0, 0)
    assert counts.grammar_slips == 1
    assert dict(counted.named) == {"turns de-AT": 1}


def test_what_was_used_after_the_last_reply_is_counted() -> None:
    (counted,) = count([at(0, UsedBesides(Used(cost_micros=900)))], {}, {}).values()
    assert counted.measures({}).counts == Counts(cost_micros=900)


@pytest.mark.parametrize(
    ("expected", "heard", "swapped"),
    [
        ("θæŋk", "sæŋk", ("θ", "s")),
        ("tʃʌk", "ʃʌk", ("tʃ", "ʃ")),
        ("ʃʊp", "ʃu\u02d0p", ("ʊ", "u\u02d0")),
        ("sæŋk", "sæŋk", None),
        ("θæŋ", "sæn", None),
        ("stɹæp", "stæp", None),
        ("", "", None),
    ],
)
def test_a_sound_counts_where_it_alone_was_said_as_another(
    expected: str, heard: str, swapped: tuple[str, str] | None
) -> None:
    assert swapped_sound(expected, heard) == swapped


def test_words_are_bits_by_their_numbers_and_one_without_a_number_is_left_out() -> None:
    counted = count([at(0, Said("tea or coffee"))], {}, {})[Quarter(0, "cnv_1")]
    assert counted.measures({"tea": 0, "coffee": 5}).vocabulary == 0b100001


def test_measures_of_two_stretches_add_up() -> None:
    both = Measures(Counts(turns=1), 0b011, {"wait 1": 1}) + Measures(
        Counts(turns=2), 0b110, {"wait 1": 2, "wait 2": 1}
    )
    assert both == Measures(Counts(turns=3), 0b111, {"wait 1": 3, "wait 2": 1})


def test_words_are_what_a_learner_would_call_so() -> None:
    assert words("Don\u2019t you like Zoë's 2 cafés?") == ["don't", "you", "like", "zoë's", "2", "cafés"]
    assert words("a" * 10_000 + " tea") == ["tea"]
    assert search_words("Don't you like Zoë's CAFÉS?") == ["don", "t", "you", "like", "zoe", "s", "cafes"]


def waits(*waits_ms: float) -> Waits:
    """What is told of waits, counted as they are kept."""
    buckets = [bucket_of(wait_ms) for wait_ms in waits_ms]
    (told,) = waits_of({str(bucket): np.array([buckets.count(bucket)]) for bucket in buckets}, 1)
    return told


@pytest.mark.parametrize("wait_ms", [12.0, 99.0, 250.0, 811.0, 4000.0, 29_000.0])
def test_a_percentile_is_right_within_five_percent(wait_ms: float) -> None:
    assert waits(wait_ms) == pytest.approx((wait_ms, wait_ms, wait_ms), rel=0.05)


def test_percentiles_of_waits_counted_by_hand() -> None:
    assert waits(*[100] * 94, *[500] * 4, *[1000] * 2) == pytest.approx((100, 500, 1000), rel=0.05)
    assert waits() == (0, 0, 0)


def test_waits_beyond_the_buckets_go_into_the_last_ones() -> None:
    assert waits(-5.0, 0.0) == (10, 10, 10)
    assert waits(1e9) == waits(40_000.0)


def half_life(talked: list[tuple[int, int, int]]) -> float | None:
    """Of days with their turns and slips."""
    return half_life_days(*np.array(talked, np.int64).reshape(-1, 3).T)


def test_half_as_many_slips_after_twenty_days_is_a_half_life_of_twenty_days() -> None:
    assert half_life([(0, 100, 80), (20, 100, 40)]) == pytest.approx(20)
    assert half_life([(0, 100, 80), (20, 50, 20), (40, 100, 20)]) == pytest.approx(20)


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
    assert half_life(talked) is None
