"""Pace, pauses and fillers, by the times of words."""

from dataclasses import replace

from services.ai_engine.domain.remarks import SaidTurn
from services.ai_engine.domain.roles import Word
from services.ai_engine.feedback.fluency import fluency


def said(text: str, *gaps_s: float, language: str = "en") -> SaidTurn:
    """Words of 300 ms each with these silences between them; the rest follow at once."""
    words, now = [], 5.0
    for place, word in enumerate(text.split()):
        now += gaps_s[place - 1] if 0 < place <= len(gaps_s) else 0.0
        words.append(Word(word, now, now + 0.3))
        now += 0.3
    return SaidTurn(text, tuple(words), language=language)


def test_pace_counts_from_the_first_word_to_the_end_of_the_last() -> None:
    remark = fluency(said("I went to the market yesterday.", 0.2, 0.0, 1.0))
    assert remark is not None
    assert (remark.word_count, round(remark.words_per_minute)) == (6, 120)


def test_only_silences_of_a_quarter_of_a_second_are_pauses() -> None:
    remark = fluency(said("I went to the market", 0.24, 0.25, 0.75))
    assert remark is not None
    assert (remark.pause_count, round(remark.mean_pause_ms), round(remark.longest_pause_ms)) == (2, 500, 750)


def test_fillers_are_counted_where_they_are_known() -> None:
    counted = [fluency(said(text, language=language)) for text, language in (
        ("Um, I would like, er, a tea", "en-GB"),
        ("Ich möchte, ähm, einen Tee", "de"),
    )]  # fmt: skip
    assert [remark.filler_count for remark in counted if remark] == [2, 1]


def test_in_a_language_whose_fillers_are_not_known_nothing_is_said_of_them() -> None:
    remark = fluency(said("Chciałbym um zamówić herbatę", language="pl"))
    assert remark is not None
    assert remark.filler_count is None


def test_a_typed_turn_and_a_short_one_have_no_pace() -> None:
    assert fluency(SaidTurn("I went to the market yesterday.")) is None
    assert fluency(said("Yes, a tea")) is None


def test_times_that_make_no_sense_make_no_pace() -> None:
    turn = said("I went to the market")
    assert fluency(replace(turn, words=tuple(replace(word, start_s=1.0, end_s=1.0) for word in turn.words))) is None
