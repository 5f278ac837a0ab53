"""Scenarios are finished by voice: a learner's sentences, synthesised, in noise, recognised, and answered."""

import numpy as np
import pytest

from services.ai_engine.domain.roles import Recognizer, Synthesizer
from services.ai_engine.tutor.scene import Stage
from services.ai_engine.tutor.state import SceneState
from tests.services.ai_engine.clips import pcm_of, silence, spoken
from tests.services.ai_engine.test_scenarios import EVERYWHERE, LEARNERS, SCRIPTS

_SNR_DB = 15.0


def in_a_noisy_room(pcm: bytes) -> bytes:
    """The speech with a quarter of a second before and after it, in white noise."""
    sound = np.frombuffer(silence(0.25) + pcm + silence(0.25), "<i2").astype(np.float64) / 32768
    loudness = np.sqrt((sound**2).mean()) * 10 ** (-_SNR_DB / 20)
    return pcm_of(sound + loudness * np.random.default_rng(1).standard_normal(len(sound)))


@pytest.mark.models
@pytest.mark.parametrize("name", ["cafe", "directions", "shopping", "interview"])
async def test_a_spoken_learner_reaches_every_goal(name: str, synthesizer: Synthesizer, recognizer: Recognizer) -> None:
    stage = Stage(SCRIPTS[name], EVERYWHERE)
    played = stage.open(SceneState(scenario=name))
    heard: list[str] = []
    for sentence in LEARNERS[name][0]:
        transcript = await recognizer.recognize(in_a_noisy_room(await spoken(synthesizer, sentence)), language="en")
        heard.append(transcript.text)
        played = stage.play(played.state, transcript.text)
    assert played.state.finished, heard
    assert set(played.state.reached) == {goal.id for goal in SCRIPTS[name].scenario.goals}, heard
