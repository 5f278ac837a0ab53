import numpy as np
import pytest
from numpy.typing import NDArray

from services.ai_engine.adapters.mel import sound_of
from services.ai_engine.domain.roles import Synthesizer
from services.ai_engine.providers.smart_turn import SmartTurnEnd, turn_picture
from tests.services.ai_engine.clips import noise, silence, spoken


def _defined(pcm: bytes) -> NDArray[np.float64]:
    """The model's input by its definition, slowly: 8 s, zeros in front, standardised, 80 mel bands, log10."""
    sound = np.zeros(128_000)
    heard = sound_of(pcm)[-128_000:]
    sound[len(sound) - len(heard) :] = heard
    sound = (sound - sound.mean()) / np.sqrt(sound.var() + 1e-7)
    padded = np.pad(sound, 200, mode="reflect")
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    power = np.array(
        [np.abs(np.fft.rfft(padded[begin : begin + 400] * window)) ** 2 for begin in range(0, 128_000, 160)]
    )
    log = np.log10(np.maximum(power @ _bands(), 1e-10)).T
    picture: NDArray[np.float64] = (np.maximum(log, log.max() - 8) + 4) / 4
    return picture


def _bands() -> NDArray[np.float64]:
    def hertz(mel: float) -> float:
        return float(mel * 200 / 3 if mel < 15 else 1000 * np.exp((mel - 15) * np.log(6.4) / 27))

    top = 15 + np.log(8) * 27 / np.log(6.4)
    edges = [hertz(mel) for mel in np.linspace(0, top, 82)]
    bands = np.zeros((201, 80))
    for band in range(80):
        low, mid, high = edges[band : band + 3]
        for place in range(201):
            frequency = place * 40
            height = min((frequency - low) / (mid - low), (high - frequency) / (high - mid))
            bands[place, band] = max(0, height) * 2 / (high - low)
    return bands


@pytest.mark.parametrize("seconds", [0.0, 0.01, 0.3, 2.0, 7.99, 8.0, 11.0])
def test_the_picture_is_what_its_definition_says(seconds: float) -> None:
    pcm = noise(seconds, loudness=0.4) if seconds else b""
    np.testing.assert_allclose(turn_picture(pcm), _defined(pcm), atol=2e-3)


async def test_the_picture_of_speech_is_what_its_definition_says(synthesizer: Synthesizer) -> None:
    pcm = await spoken(synthesizer, "Could you tell me where the station is?")
    np.testing.assert_allclose(turn_picture(pcm), _defined(pcm), atol=2e-3)


async def test_a_finished_question_counts_as_complete(turn_end: SmartTurnEnd, synthesizer: Synthesizer) -> None:
    pcm = await spoken(synthesizer, "Could you tell me where the station is?")
    assert await turn_end.probability(pcm + silence(0.4)) > 0.8


async def test_a_turn_cut_in_the_middle_counts_as_less_complete(
    turn_end: SmartTurnEnd, synthesizer: Synthesizer
) -> None:
    pcm = await spoken(synthesizer, "I would like a table for two people near the window.")
    half = pcm[: len(pcm) // 4 * 2]
    assert await turn_end.probability(half) < 0.5 < await turn_end.probability(pcm)


async def test_who_was_heard_before_is_known_better_when_a_turn_breaks_off(
    turn_end: SmartTurnEnd, synthesizer: Synthesizer
) -> None:
    before = await spoken(synthesizer, "Last weekend we went to the mountains.") + silence(1.0)
    whole = await spoken(synthesizer, "Could you tell me how much this jacket costs?")
    broken_off = whole[: int(0.75 * 16_000) * 2] + silence(0.1)
    alone, known = await turn_end.probability(broken_off), await turn_end.probability(broken_off, before)
    assert known < alone
    assert await turn_end.probability(whole + silence(0.1), before) > 0.5


async def test_so_little_before_a_turn_that_it_tells_nothing_changes_nothing(
    turn_end: SmartTurnEnd, synthesizer: Synthesizer
) -> None:
    pcm = await spoken(synthesizer, "Could you tell me where the station is?")
    assert await turn_end.probability(pcm, silence(1.5)) == await turn_end.probability(pcm)


@pytest.mark.parametrize("pcm", [b"", silence(0.02), silence(30), noise(20)])
async def test_any_sound_gives_a_probability(turn_end: SmartTurnEnd, pcm: bytes) -> None:
    assert 0 <= await turn_end.probability(pcm) <= 1
