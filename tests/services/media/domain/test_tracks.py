"""A track cut into segments."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.errors import BadAudioError
from services.media.domain.tracks import OpenTrack, Piece

RATE = 100


def track(kept: int = 0) -> OpenTrack:
    return OpenTrack(rate_hz=RATE, kept_samples=kept, segment_s=3, longest_s=60)


def pcm(samples: int) -> bytes:
    return b"\x01\x01" * samples


def test_a_segment_is_ready_when_it_is_long_enough() -> None:
    opened = track()
    ready = [piece for start in range(0, 700, 50) for piece in opened.append(start, pcm(50), 0)]
    assert [(piece.first_sample, piece.samples) for piece in ready] == [(0, 300), (300, 300)]
    assert [(piece.first_sample, piece.samples) for piece in opened.cut()] == [(600, 100)]
    assert opened.cut() == []


def test_a_message_of_several_seconds_is_cut_like_any_other_sound() -> None:
    opened = track()
    ready = opened.append(0, pcm(750), 0)
    assert [(piece.first_sample, piece.samples) for piece in ready] == [(0, 300), (300, 300)]
    assert [(piece.first_sample, piece.samples) for piece in opened.cut()] == [(600, 150)]


def test_a_short_gap_is_filled_with_silence() -> None:
    opened = track()
    opened.append(0, pcm(50), 0)
    opened.append(60, pcm(50), 0)
    assert opened.cut() == [Piece(0, pcm(50) + bytes(20) + pcm(50))]


def test_a_long_gap_is_left_between_segments() -> None:
    opened = track()
    opened.append(0, pcm(50), 0)
    assert opened.append(1000, pcm(50), 0) == [Piece(0, pcm(50))]
    assert opened.cut() == [Piece(1000, pcm(50))]


def test_sound_waits_since_its_first_sample_came() -> None:
    opened = track()
    assert opened.waits_since() is None
    opened.append(0, pcm(50), 7.0)
    opened.append(50, pcm(50), 8.0)
    assert opened.waits_since() == 7.0
    opened.cut()
    assert opened.waits_since() is None


def test_what_was_kept_before_is_passed_over() -> None:
    opened = track(kept=120)
    for start in range(0, 200, 50):
        opened.append(start, pcm(50), 0)
    assert opened.cut() == [Piece(120, pcm(80))]


@pytest.mark.parametrize(
    ("first_sample", "sound"),
    [(100, b"\x01"), (100, bytes(96_002)), (99, pcm(1)), (0, pcm(1)), (5999, pcm(2)), (2**62, pcm(1))],
)
def test_sound_that_does_not_fit_is_refused(first_sample: int, sound: bytes) -> None:
    opened = track()
    opened.append(0, pcm(100), 0)
    with pytest.raises(BadAudioError):
        opened.append(first_sample, sound, 0)


@given(st.lists(st.tuples(st.integers(0, 700), st.integers(0, 8 * RATE)), max_size=30), st.integers(0, 200))
def test_whatever_comes_pieces_are_in_order_whole_and_shorter_than_five_seconds(
    steps: list[tuple[int, int]], kept: int
) -> None:
    opened, place = OpenTrack(rate_hz=RATE, kept_samples=kept, segment_s=3, longest_s=10_000), 0
    pieces: list[Piece] = []
    sounding: set[int] = set()
    for gap, samples in steps:
        place += gap
        sounding |= set(range(max(place, kept), place + samples))
        pieces += opened.append(place, pcm(samples), 0)
        place += samples
    pieces += opened.cut()
    end = kept
    for piece in pieces:
        assert piece.first_sample >= end
        assert 0 < piece.samples < 5 * RATE
        end = piece.end_sample
    written = {
        piece.first_sample + index
        for piece in pieces
        for index in range(piece.samples)
        if piece.pcm[2 * index : 2 * index + 2] == b"\x01\x01"
    }
    assert written == sounding
