import asyncio

import numpy as np
import pytest
import soxr
from hypothesis import given
from hypothesis import strategies as st

from mesh.errors import OverloadedError
from services.ai_engine.domain.roles import SpeechDetection, Synthesizer
from services.ai_engine.domain.run import Assess, EngineFailed, SpeechEnded, SpeechStarted, TurnEndEstimated
from services.ai_engine.domain.speech_edges import (
    Began,
    Cadence,
    Ceased,
    SpeechEdges,
    first_of_speech,
    last_of_speech,
)
from services.ai_engine.domain.spoken_before import SpokenBefore, settled_after
from services.ai_engine.engines.memory import HeardSound
from services.ai_engine.engines.perception import Ear
from services.ai_engine.models import ModelSettings, locate
from services.ai_engine.providers.instant import CADENCE, InstantDetection, InstantVoiceActivity
from services.ai_engine.providers.silero import SileroVoiceActivity
from tests.services.ai_engine import clips
from tests.services.ai_engine.scripted import HERE, LOUD_20_MS, QUIET_20_MS, talk

_RATE_HZ = 16_000


def _edges(*probabilities: float) -> list[Began | Ceased]:
    edges = SpeechEdges(Cadence(window_samples=10, hang_windows=3))
    return [edge for probability in probabilities if (edge := edges.hear(probability))]


def test_speech_begins_with_its_first_likely_window() -> None:
    assert _edges(0.1, 0.9) == [Began(10)]


def test_undecided_windows_begin_no_speech() -> None:
    assert _edges(0.4, 0.4, 0.4, 0.4) == []


def test_what_may_be_speech_is_worth_a_glimpse_before_the_next_window_is_full() -> None:
    edges = SpeechEdges(Cadence(window_samples=10, hang_windows=3))
    found = edges.hear(0.05), edges.doubtful, edges.hear(0.2), edges.doubtful
    assert found == (None, False, None, True)
    assert (edges.glimpse(0.3), edges.doubtful, edges.glimpse(0.6), edges.doubtful) == (None, True, Began(20), False)


def test_speech_ends_after_enough_silence_where_its_last_window_ended() -> None:
    assert _edges(0.9, 0.9, 0.9, 0.1, 0.1, 0.1) == [Began(0), Ceased(30)]


def test_a_short_silence_or_an_undecided_window_does_not_end_speech() -> None:
    assert _edges(0.9, 0.9, 0.1, 0.1, 0.9, 0.1, 0.1, 0.4, 0.1, 0.1) == [Began(0)]


@given(st.lists(st.floats(0, 1), max_size=200))
def test_beginnings_and_ends_take_turns_and_time_goes_forward(probabilities: list[float]) -> None:
    edges = _edges(*probabilities)
    assert all(isinstance(edge, Began if place % 2 == 0 else Ceased) for place, edge in enumerate(edges))
    assert [edge.at for edge in edges] == sorted(edge.at for edge in edges)


def test_windows_that_were_passed_over_still_count() -> None:
    edges = SpeechEdges(Cadence(window_samples=10))
    edges.skip(5)
    assert edges.hear(0.9) == Began(50)


def _tone_between(begin: int, end: int, length: int) -> bytes:
    sound = np.random.default_rng(0).normal(0, 20, length)
    sound[begin:end] += 6000 * np.sin(np.arange(end - begin) * 0.2)
    return sound.astype("<i2").tobytes()


def test_the_beginning_is_found_before_the_window_that_noticed_it() -> None:
    assert first_of_speech(_tone_between(2000, 6000, 6000), 10_000, 14_000) == pytest.approx(12_000, abs=80)


def test_the_beginning_is_found_within_the_window_that_noticed_it() -> None:
    assert first_of_speech(_tone_between(5200, 6000, 6000), 10_000, 14_900) == pytest.approx(15_200, abs=80)


def test_the_end_is_found_before_the_window_that_noticed_it() -> None:
    assert last_of_speech(_tone_between(0, 4000, 6000), 10_000, 15_000) == pytest.approx(14_000, abs=80)


def test_edges_in_even_sound_stay_where_the_model_put_them() -> None:
    assert last_of_speech(bytes(8000), 0, 3000) == 3000
    assert first_of_speech(bytes(8000), 0, 3000) == 3000


def test_the_memory_forgets_the_oldest_sound_and_keeps_count() -> None:
    heard = HeardSound(length_s=2 / _RATE_HZ)
    heard.append(b"\x01\x00\x02\x00\x03\x00")
    assert (heard.first, heard.end) == (1, 3)
    assert heard.stretch(0, 99) == (b"\x02\x00\x03\x00", 1)
    assert heard.stretch(5, 9) == (b"", 5)


async def test_edges_come_at_the_frame_that_shows_them() -> None:
    async with talk() as talking:
        await talking.hear(QUIET_20_MS, LOUD_20_MS, LOUD_20_MS)
        assert await talking.listener.until(SpeechStarted) == [SpeechStarted(320)]
        await talking.hear(QUIET_20_MS)
        assert await talking.listener.until(SpeechEnded) == [SpeechEnded(960)]
        assert await talking.listener.until(TurnEndEstimated) == [TurnEndEstimated(960, 1.0)]


class HeldTurnEnd:
    name = "held"
    capabilities = HERE

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.heard: list[int] = []
        self.before: list[int] = []

    async def probability(self, pcm: bytes, before: bytes = b"") -> float:
        self.heard.append(len(pcm) // 2)
        self.before.append(len(before) // 2)
        if len(self.heard) == 1:
            await self.go.wait()
        return 0.7


async def test_an_estimate_is_dropped_when_speech_goes_on() -> None:
    turn_end = HeldTurnEnd()
    async with talk(turn_end=turn_end) as talking:
        await talking.hear(LOUD_20_MS, QUIET_20_MS)
        await talking.listener.until(SpeechEnded)
        await talking.hear(LOUD_20_MS, QUIET_20_MS)
        await talking.listener.until(TurnEndEstimated)
        turn_end.go.set()
    assert [event.at_sample for event in talking.listener.all(TurnEndEstimated)] == [960]


async def test_a_turn_with_a_short_pause_is_judged_whole_and_one_after_a_long_pause_alone() -> None:
    turn_end = HeldTurnEnd()
    turn_end.go.set()
    async with talk(turn_end=turn_end) as talking:
        for count in (1, 2):
            await talking.hear(*[LOUD_20_MS] * 5, QUIET_20_MS)
            await talking.listener.until(TurnEndEstimated, count)
        await talking.hear(*[QUIET_20_MS] * 150, LOUD_20_MS, QUIET_20_MS)
        await talking.listener.until(TurnEndEstimated, 3)
    # Each with the silence that is to come.
    assert turn_end.heard == [5 * 320 + 3200, 11 * 320 + 3200, 320 + 3200]


async def test_a_turn_is_judged_by_itself_and_by_those_before_it_which_are_kept_apart() -> None:
    turn_end = HeldTurnEnd()
    turn_end.go.set()
    second = [LOUD_20_MS] * 50
    async with talk(turn_end=turn_end) as talking:
        for turn in (1, 2, 3):
            await talking.hear(*second, QUIET_20_MS)
            await talking.listener.until(TurnEndEstimated, turn)
            await talking.session.handle(Assess(f"trn_{turn}", 1, "Hello.", to_sample=(51 * turn - 1) * 320))
    assert turn_end.heard == [16_000 + 3200] * 3
    # Each with a second of silence behind it.
    assert turn_end.before == [0, 32_000, 64_000]


def test_what_is_quiet_goes_on_as_the_noise_of_the_room_does() -> None:
    turn = _tone_between(0, 4000, 5600)
    settled = np.frombuffer(settled_after(turn, 1600, 3200), dtype="<i2")
    assert len(settled) == 4000 + 3200
    assert settled[5600:].std() == pytest.approx(settled[4000:5600].std(), rel=0.05)
    assert settled_after(turn, 3200, 3200) == turn


def test_of_what_was_said_before_a_turn_a_cough_is_left_out_and_no_more_is_kept_than_a_judge_listens_to() -> None:
    before = SpokenBefore()
    before.add(LOUD_20_MS * 20, 160)
    assert before.pcm == b""
    for _ in range(9):
        before.add(LOUD_20_MS * 50 + QUIET_20_MS, 320)
    assert len(before.pcm) == 2 * 8 * 16_000


class DeafOnce:
    name = "deaf"
    capabilities = HERE

    def open(self) -> SpeechDetection:
        class Detection(InstantDetection):
            calls = 0

            async def probabilities(self, pcm: bytes) -> list[float]:
                self.calls += 1
                if self.calls <= 2:
                    raise OverloadedError("Busy; try later.")
                return await super().probabilities(pcm)

        return Detection()


async def test_overload_is_told_once_and_hearing_goes_on_in_place() -> None:
    async with talk(ear=Ear(DeafOnce(), CADENCE)) as talking:
        for _ in range(2):
            await talking.hear(QUIET_20_MS)
            await talking.listener.until(EngineFailed)
            await asyncio.sleep(0)
        await talking.hear(QUIET_20_MS, LOUD_20_MS)
        assert await talking.listener.until(SpeechStarted) == [SpeechStarted(960)]
    assert [event.failure.reason for event in talking.listener.all(EngineFailed)] == ["OVERLOADED"]


@pytest.mark.parametrize("rate_hz", [8000, 16_000, 44_100, 48_000])
async def test_real_speech_is_placed_within_a_fiftieth_of_a_second(
    rate_hz: int, models: ModelSettings, synthesizer: Synthesizer
) -> None:
    speech = np.frombuffer(await clips.spoken(synthesizer, "My brother lives in a small town."), "<i2") / 32768
    quiet = np.zeros(_RATE_HZ)
    sound = np.concatenate([quiet, speech, quiet]) + np.random.default_rng(0).normal(
        0, 0.001, 2 * _RATE_HZ + len(speech)
    )
    audible = np.flatnonzero(np.abs(speech) > 0.02)
    pcm = (soxr.resample(sound, _RATE_HZ, rate_hz) * 32767).astype("<i2").tobytes()
    frame = rate_hz // 50 * 2
    activity = await asyncio.to_thread(SileroVoiceActivity.load, locate("silero", models))
    async with activity, talk(ear=Ear(activity, Cadence()), input_rate_hz=rate_hz) as talking:
        for begin in range(0, len(pcm), frame):
            await talking.hear(pcm[begin : begin + frame])
    started = talking.listener.all(SpeechStarted)[0].at_sample / rate_hz
    ended = talking.listener.all(SpeechEnded)[-1].at_sample / rate_hz
    assert started == pytest.approx(1 + audible[0] / _RATE_HZ, abs=0.03)
    assert ended == pytest.approx(1 + audible[-1] / _RATE_HZ, abs=0.03)


async def test_silence_and_noise_are_no_speech(models: ModelSettings) -> None:
    activity = await asyncio.to_thread(SileroVoiceActivity.load, locate("silero", models))
    async with activity, talk(ear=Ear(activity, Cadence())) as talking:
        sound = clips.silence(3) + clips.noise(3)
        for begin in range(0, len(sound), 640):
            await talking.hear(sound[begin : begin + 640])
    assert talking.listener.events == []


async def test_a_stub_hears_frames_of_any_length() -> None:
    detection = InstantVoiceActivity().open()
    answers = [len(await detection.probabilities(LOUD_20_MS[:size])) for size in (0, 2, 318, 640)]
    assert answers == [0, 0, 1, 2]
