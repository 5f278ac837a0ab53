import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.ai_engine.adapters.mel import RATE_HZ
from services.ai_engine.adapters.pieces import LONGEST_S, pieces, voiced


@settings(max_examples=30, deadline=None)
@given(seconds=st.floats(0, 100))
def test_the_pieces_joined_are_the_sound(seconds: float) -> None:
    sound = np.random.default_rng(1).standard_normal(int(seconds * RATE_HZ)).astype(np.float32)
    cut = list(pieces(sound))
    assert sum(len(piece) for _, piece in cut) == len(sound)
    for begin, piece in cut:
        assert 0 < len(piece) <= LONGEST_S * RATE_HZ
        np.testing.assert_array_equal(piece, sound[begin : begin + len(piece)])


def test_sound_is_cut_in_a_pause() -> None:
    sound = np.ones(40 * RATE_HZ, np.float32)
    sound[24 * RATE_HZ : 25 * RATE_HZ] = 0
    [_, (cut, _)] = list(pieces(sound))
    assert 24 * RATE_HZ <= cut <= 25 * RATE_HZ


def test_voice_is_found_within_silence() -> None:
    sound = np.zeros(3 * RATE_HZ, np.float32)
    sound[RATE_HZ : 2 * RATE_HZ] = 0.5
    assert voiced(sound, 10.0) == pytest.approx((11.0, 12.0), abs=0.001)
