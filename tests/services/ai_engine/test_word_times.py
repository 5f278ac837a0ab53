from hypothesis import given
from hypothesis import strategies as st

from services.ai_engine.adapters.word_times import Span, estimate, spread

_WORDS = st.lists(st.text(alphabet="ab1.", min_size=1, max_size=5), max_size=8)


def _read(*words: str) -> list[Span]:
    return [Span(word, float(place), place + 0.5) for place, word in enumerate(words)]


def test_words_read_as_written_keep_their_times() -> None:
    assert spread(["Good", "morning!"], _read("Good", "morning")) == [
        Span("Good", 0, 0.5),
        Span("morning!", 1, 1.5),
    ]


def test_a_time_of_day_takes_the_time_of_all_its_words() -> None:
    assert spread(["at", "7:30", "sharp"], _read("at", "seven", "thirty", "sharp")) == [
        Span("at", 0, 0.5),
        Span("7:30", 1, 2.5),
        Span("sharp", 3, 3.5),
    ]


def test_a_mark_that_is_not_read_lasts_no_time() -> None:
    assert spread(["yes", "-", "no"], _read("yes", "no"))[1] == Span("-", 0.5, 0.5)


def test_longer_words_are_estimated_longer() -> None:
    short, long = estimate("I understand", 1.0, 3.0)
    assert (short.start_s, long.end_s) == (1.0, 3.0)
    assert short.end_s - short.start_s < long.end_s - long.start_s


@given(_WORDS, _WORDS)
def test_every_word_gets_a_time_and_they_follow_each_other(words: list[str], read: list[str]) -> None:
    spans = spread(words, _read(*read))
    assert [span.text for span in spans] == words
    times = [time for span in spans for time in (span.start_s, span.end_s)]
    assert times == sorted(times)
