"""The jitter buffer: even sound out of an uneven network, and every sample counted."""

from vivavoce.client import JitterBuffer

RATE = 24_000
#: 20 ms.
FRAME = b"\x10\x20" * 480
SILENCE = bytes(960)


def test_a_reply_begins_when_forty_milliseconds_have_gathered() -> None:
    buffer = JitterBuffer(RATE)
    buffer.play("rep_1", 0, FRAME)
    assert buffer.pull(480) == SILENCE
    buffer.play("rep_1", 480, FRAME)
    assert buffer.pull(480) == FRAME
    assert buffer.played() == ("rep_1", 480)


def test_a_short_reply_that_is_complete_need_not_gather() -> None:
    buffer = JitterBuffer(RATE)
    buffer.play("rep_1", 0, FRAME)
    buffer.end("rep_1")
    assert buffer.pull(480) == FRAME


def test_after_running_dry_it_gathers_more_before_it_goes_on() -> None:
    buffer = JitterBuffer(RATE)
    buffer.play("rep_1", 0, FRAME * 2)
    assert buffer.pull(1440) == FRAME * 2 + SILENCE
    for place in range(2, 5):
        buffer.play("rep_1", place * 480, FRAME)
        assert buffer.pull(480) == SILENCE
    buffer.play("rep_1", 5 * 480, FRAME)
    assert buffer.pull(480) == FRAME


def test_a_pause_is_silence_and_the_reply_goes_on_at_the_sample_it_is_told() -> None:
    buffer = JitterBuffer(RATE)
    buffer.play("rep_1", 0, FRAME * 4)
    buffer.pull(960)
    buffer.pause()
    assert buffer.pull(480) == SILENCE
    buffer.resume(480)
    assert buffer.pull(480) == FRAME
    assert buffer.played() == ("rep_1", 960)


def test_what_is_dropped_is_neither_played_nor_counted() -> None:
    buffer = JitterBuffer(RATE)
    buffer.play("rep_1", 0, FRAME * 4)
    buffer.pull(480)
    buffer.drop()
    assert buffer.pull(480) == SILENCE
    assert buffer.played() == ("", 0)


def test_sound_that_comes_again_takes_its_own_place() -> None:
    buffer = JitterBuffer(RATE)
    buffer.play("rep_1", 0, FRAME * 3)
    buffer.play("rep_1", 960, FRAME * 2)
    buffer.end("rep_1")
    assert buffer.pull(2400) == FRAME * 4 + SILENCE


def test_another_reply_takes_the_place_of_the_one_before() -> None:
    buffer = JitterBuffer(RATE)
    buffer.play("rep_1", 0, FRAME * 4)
    buffer.pull(480)
    buffer.play("rep_2", 0, FRAME * 2)
    assert buffer.played() == ("rep_2", 0)
