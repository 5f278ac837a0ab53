"""The learner's sound as it comes in."""

import pytest

from mesh.errors import BadAudioError, ExhaustedError
from services.conversation.live.microphone import Microphone

FRAME = bytes(640)


def test_samples_are_dated_as_if_each_had_come_by_itself() -> None:
    microphone = Microphone(16_000, 10.0)
    for place in range(5):
        microphone.take(place * 320, FRAME, 10.02 + place * 0.02)
    assert microphone.arrived_at(960) == pytest.approx(10.06)
    assert microphone.arrived_at(800) == pytest.approx(10.05)


def test_a_sample_still_to_come_is_dated_now() -> None:
    microphone = Microphone(16_000, 10.0)
    microphone.take(0, FRAME, 10.5)
    assert microphone.arrived_at(5000) == 10.5


def test_positions_go_on_without_gaps() -> None:
    microphone = Microphone(16_000, 0.0)
    microphone.take(0, FRAME, 0.02)
    with pytest.raises(BadAudioError, match="Sample 320 comes next"):
        microphone.take(640, FRAME, 0.04)


def test_real_time_and_twice_that_pass_for_ever() -> None:
    microphone = Microphone(16_000, 0.0)
    for place in range(5000):
        microphone.take(place * 320, FRAME, place * 0.0101)


def test_three_times_real_time_passes_for_a_while_only() -> None:
    microphone = Microphone(16_000, 0.0)
    for place in range(600):
        microphone.take(place * 320, FRAME, place * 0.0067)
    with pytest.raises(ExhaustedError, match="twice real time"):
        send(microphone, 1200, 0.0067)


def send(microphone: Microphone, frames: int, every_s: float) -> None:
    first = microphone.next_sample // 320
    for place in range(first, first + frames):
        microphone.take(place * 320, FRAME, place * every_s)
