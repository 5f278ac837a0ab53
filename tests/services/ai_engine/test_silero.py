import asyncio
import itertools
from collections.abc import AsyncIterator

import numpy as np
import pytest

from mesh.errors import OverloadedError, UnavailableError
from services.ai_engine.domain.roles import VAD_WINDOW_SAMPLES, Synthesizer
from services.ai_engine.models import ModelSettings, locate
from services.ai_engine.providers.silero import SileroVoiceActivity
from tests.services.ai_engine.clips import music, noise, silence, spoken

_SENTENCE = "My brother has lived in Tokyo for five years."


@pytest.fixture
async def activity(models: ModelSettings) -> AsyncIterator[SileroVoiceActivity]:
    async with SileroVoiceActivity.load(locate("silero", models)) as activity:
        yield activity


def _share_of_speech(probabilities: list[float]) -> float:
    return sum(probability > 0.5 for probability in probabilities) / len(probabilities)


async def test_speech_is_told_from_silence_and_noise(activity: SileroVoiceActivity, synthesizer: Synthesizer) -> None:
    speech = await activity.open().probabilities(await spoken(synthesizer, _SENTENCE))
    assert _share_of_speech(speech) > 0.8
    assert _share_of_speech(await activity.open().probabilities(silence(3))) == 0
    assert _share_of_speech(await activity.open().probabilities(noise(3, slope=0))) == 0
    assert _share_of_speech(await activity.open().probabilities(noise(3, slope=2))) == 0


async def test_speech_is_noticed_within_three_windows(activity: SileroVoiceActivity, synthesizer: Synthesizer) -> None:
    probabilities = await activity.open().probabilities(silence(1.024) + await spoken(synthesizer, _SENTENCE))
    assert next(place for place, value in enumerate(probabilities) if value > 0.5) <= 32 + 3


async def test_a_glimpse_sees_speech_before_its_window_is_full_and_leaves_no_trace(
    activity: SileroVoiceActivity, synthesizer: Synthesizer
) -> None:
    pcm = await spoken(synthesizer, _SENTENCE)
    whole = await activity.open().probabilities(pcm)
    loud = next(place for place, value in enumerate(whole) if value > 0.9)
    begin = 2 * VAD_WINDOW_SAMPLES * loud
    detection = activity.open()
    assert await detection.glimpse() == 0
    before = await detection.probabilities(pcm[: begin + VAD_WINDOW_SAMPLES])
    assert await detection.glimpse() > 0.5
    np.testing.assert_allclose(
        before + await detection.probabilities(pcm[begin + VAD_WINDOW_SAMPLES :]), whole, atol=1e-5
    )


async def test_the_answer_does_not_depend_on_how_the_sound_is_cut(
    activity: SileroVoiceActivity, synthesizer: Synthesizer
) -> None:
    pcm = await spoken(synthesizer, _SENTENCE)
    whole = await activity.open().probabilities(pcm)
    detection, pieces = activity.open(), []
    cuts = [0, *sorted(2 * np.random.default_rng(2).integers(0, len(pcm) // 2, 40)), len(pcm)]
    for begin, end in itertools.pairwise(cuts):
        pieces += await detection.probabilities(pcm[begin:end])
    assert len(whole) == len(pcm) // 2 // VAD_WINDOW_SAMPLES
    np.testing.assert_allclose(pieces, whole, atol=1e-5)


async def test_sessions_in_one_batch_do_not_hear_each_other(
    activity: SileroVoiceActivity, synthesizer: Synthesizer
) -> None:
    clips = [await spoken(synthesizer, _SENTENCE), silence(3), noise(3), await spoken(synthesizer, "Good morning.")]
    alone = [await activity.open().probabilities(clip) for clip in clips]
    together = await asyncio.gather(*(activity.open().probabilities(clip) for clip in clips))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)


async def test_speech_after_long_music_is_still_heard(activity: SileroVoiceActivity, synthesizer: Synthesizer) -> None:
    detection = activity.open()
    await detection.probabilities(music(20))
    assert _share_of_speech(await detection.probabilities(await spoken(synthesizer, _SENTENCE))) > 0.8


async def test_a_cancelled_call_leaves_the_session_usable(
    activity: SileroVoiceActivity, synthesizer: Synthesizer
) -> None:
    pcm = await spoken(synthesizer, _SENTENCE)
    whole = await activity.open().probabilities(pcm)
    detection = activity.open()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await detection.probabilities(pcm[: 10 * 2 * VAD_WINDOW_SAMPLES])
    rest = await detection.probabilities(pcm[10 * 2 * VAD_WINDOW_SAMPLES :])
    np.testing.assert_allclose(rest, whole[10:], atol=1e-5)


async def test_more_calls_than_the_queue_holds_are_refused(models: ModelSettings) -> None:
    async with SileroVoiceActivity.load(locate("silero", models), queue=4) as activity:
        answers = await asyncio.gather(
            *(activity.open().probabilities(silence(0.5)) for _ in range(64)), return_exceptions=True
        )
        refused = [answer for answer in answers if isinstance(answer, OverloadedError)]
        assert refused
        assert activity.busy.refused == len(refused)
        assert all(isinstance(answer, list | OverloadedError) for answer in answers)


async def test_a_detection_outside_its_opening_is_refused(models: ModelSettings) -> None:
    async with SileroVoiceActivity.load(locate("silero", models)) as activity:
        detection = activity.open()
    with pytest.raises(UnavailableError):
        await detection.probabilities(silence(1))
