"""Opus keeps every sample in its place, and says of what is no packet that it is none."""

import numpy as np
import pytest

from mesh.errors import BadAudioError
from mesh.opus import RATES_HZ, OpusDecoder, OpusEncoder

#: How far off libopus itself may be: it filters what it hears.
CODEC_S = 1 / 16_000


def noise(samples: int) -> np.ndarray:
    """What is like itself at one place only, and low enough to be told at every rate."""
    made = np.random.default_rng(1).normal(size=samples)
    return (np.convolve(made, np.ones(6) / 6, "same") * 6000).astype("<i2")


def shift(before: np.ndarray, after: np.ndarray) -> int:
    """By how many samples `after` is later."""
    middle = before[2000:6000].astype(float)
    return max(range(-40, 40), key=lambda by: float(middle @ after[2000 + by : 6000 + by]))


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_all_that_goes_in_comes_out_in_its_place(rate_hz: int) -> None:
    sound = noise(rate_hz)
    encoder, decoder = OpusEncoder(rate_hz), OpusDecoder(rate_hz)
    packets = [packet for at in range(0, rate_hz, 777) for packet in encoder.encode(sound[at : at + 777].tobytes())]
    packets += encoder.flush()
    heard = np.frombuffer(decoder.decode(packets, "packets"), "<i2")
    assert len(heard) + 16 >= rate_hz, "to the last sample"
    assert abs(shift(sound, heard)) <= CODEC_S * rate_hz
    assert sum(map(len, packets)) < sound.nbytes / 5


def test_after_packets_that_were_left_out_every_sample_is_in_its_place() -> None:
    sound = noise(24_000)
    encoder, decoder = OpusEncoder(24_000), OpusDecoder(24_000)
    first, second = encoder.encode(sound[:4800].tobytes()), encoder.encode(sound[4800:].tobytes())
    heard = decoder.decode(first, "packets") + decoder.silence(960) + decoder.decode(second, "packets")
    before = np.concatenate([np.zeros(5760, "<i2"), sound[4800:]])
    assert abs(shift(before[5760:], np.frombuffer(heard, "<i2")[5760:])) <= CODEC_S * 24_000


@pytest.mark.parametrize("packet", [b"", b"\0", b"no packet", b"\xff" * 60])
def test_what_is_no_packet_of_20_ms_is_refused_by_name(packet: bytes) -> None:
    with pytest.raises(BadAudioError) as raised:
        OpusDecoder(24_000).decode([packet], "append_audio.opus_packets")
    assert raised.value.field == "append_audio.opus_packets"
