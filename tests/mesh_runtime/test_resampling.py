"""The streaming resampler."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mesh.audio import StreamResampler, samples

_RATES = [8000, 16000, 22050, 24000, 44100, 48000]
_PAIRS = [(48000, 16000), (24000, 16000), (16000, 24000), (44100, 16000), (24000, 48000), (22050, 24000), (8000, 16000)]


def tone(hz: float, rate_hz: int, seconds: float = 1.0) -> NDArray[np.int16]:
    return (np.sin(2 * np.pi * hz * np.arange(int(rate_hz * seconds)) / rate_hz) * 8000).astype(np.int16)


def resampled(sound: NDArray[np.int16], from_hz: int, to_hz: int) -> NDArray[np.float64]:
    resampler = StreamResampler(from_hz, to_hz)
    piece = from_hz // 50
    out = b"".join(resampler.feed(sound[at : at + piece].tobytes()) for at in range(0, sound.size, piece))
    return np.frombuffer(out + resampler.flush(), np.int16).astype(float)


def loudness_db(sound: NDArray[np.float64]) -> float:
    return float(20 * np.log10(max(np.sqrt(np.mean(sound**2)), 1e-9) / (8000 / np.sqrt(2))))


@given(
    rates=st.tuples(st.sampled_from(_RATES), st.sampled_from(_RATES)),
    pieces=st.lists(st.integers(0, 3000), max_size=12),
)
def test_as_many_samples_come_out_as_the_ratio_says(rates: tuple[int, int], pieces: list[int]) -> None:
    resampler = StreamResampler(*rates)
    for _ in range(2):
        out = b"".join(resampler.feed(bytes(2 * count)) for count in pieces) + resampler.flush()
        assert samples(out) == -(-sum(pieces) * rates[1] // rates[0])


@given(rates=st.sampled_from(_PAIRS), pieces=st.lists(st.integers(0, 700), max_size=12), seed=st.integers(0, 1000))
def test_the_cut_into_pieces_changes_nothing(rates: tuple[int, int], pieces: list[int], seed: int) -> None:
    sound = np.random.default_rng(seed).integers(-20000, 20000, sum(pieces)).astype(np.int16).tobytes()
    whole, cut = StreamResampler(*rates), StreamResampler(*rates)
    at, out = 0, b""
    for count in pieces:
        out += cut.feed(sound[2 * at : 2 * (at + count)])
        at += count
    expected = np.frombuffer(whole.feed(sound) + whole.flush(), np.int16).astype(int)
    assert np.abs(np.frombuffer(out + cut.flush(), np.int16).astype(int) - expected).max(initial=0) <= 1


@pytest.mark.parametrize(("from_hz", "to_hz"), _PAIRS)
def test_a_tone_stays_where_it_was(from_hz: int, to_hz: int) -> None:
    heard, expected = resampled(tone(440, from_hz), from_hz, to_hz), tone(440, to_hz).astype(float)
    middle = slice(to_hz // 100, -to_hz // 100)
    assert loudness_db(heard[middle] - expected[middle]) < -70


@pytest.mark.parametrize(("from_hz", "to_hz"), [pair for pair in _PAIRS if pair[1] < pair[0]])
def test_what_the_lower_rate_can_not_carry_is_taken_out(from_hz: int, to_hz: int) -> None:
    heard = resampled(tone(to_hz / 2 * 1.15, from_hz), from_hz, to_hz)
    assert loudness_db(heard[to_hz // 100 : -to_hz // 100]) < -70


@pytest.mark.parametrize(("from_hz", "to_hz"), _PAIRS)
def test_little_is_held_back(from_hz: int, to_hz: int) -> None:
    resampler = StreamResampler(from_hz, to_hz)
    out = b"".join(resampler.feed(bytes(2 * from_hz // 50)) for _ in range(50))
    assert to_hz - samples(out) <= to_hz * (0.070 if from_hz == 8000 else 0.040)


def test_the_loudest_sound_does_not_wrap_around() -> None:
    square = np.where(np.arange(4800) % 48 < 24, 32767, -32768).astype(np.int16)
    heard = resampled(square, 48000, 16000)[160:-160]
    assert np.all(heard[2::16] > 20000)
