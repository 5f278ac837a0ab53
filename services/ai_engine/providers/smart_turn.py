"""Judges with the Smart Turn model whether a speaker has finished, from how the turn sounds."""

import math
from pathlib import Path
from typing import Final, Self

import numpy as np

from mesh.workers import Workers
from services.ai_engine.adapters.mel import BANDS, HOP, Picture, Sound, mel_power, normalised, sound_of
from services.ai_engine.adapters.onnx import OnnxModel
from services.ai_engine.domain.roles import HEARING_RATE_HZ, Capabilities

#: The model looks at the last 8 s.
_SPAN_SAMPLES = 8 * HEARING_RATE_HZ
_COLUMNS = _SPAN_SAMPLES // HOP
_SPAN_BYTES = 2 * _SPAN_SAMPLES
#: Less from before a turn, of which a second is silence, tells nothing.
_LEAST_BYTES = 2 * 2 * HEARING_RATE_HZ
_HALF_WINDOW = 200
_WINDOW = 2 * _HALF_WINDOW
#: The model was trained on turns that stand alone. With others before them it tells pauses from ends far better, and
#: thinks all of them less likely an end: by so much, in logits.
_STERNER: Final = 1.0
_SURE: Final = 0.999


class SmartTurnEnd:
    """Probability that a turn is complete (TurnEnd)."""

    name = "smart_turn"
    capabilities = Capabilities(
        languages=frozenset(),
        local=True,
        label="Smart Turn v3.2, local: hears from melody and rhythm whether a turn is over; knows no words.",
    )

    def __init__(self, model: OnnxModel, *, workers: Workers) -> None:
        self._model = model
        self._workers = workers

    @classmethod
    def load(cls, path: Path, *, workers: Workers, threads: int = 1) -> Self:
        """Loads and warms the model; blocks, so call it in a thread."""
        turn_end = cls(OnnxModel.load(path, threads=threads), workers=workers)
        turn_end._judge(bytes(2 * HEARING_RATE_HZ))
        return turn_end

    async def probability(self, pcm: bytes, before: bytes = b"") -> float:
        """Probability, 0 to 1, that the turn in this PCM is complete; its last 8 s count, and what was said before it.

        Raises OverloadedError when the queue is full. Cancelling drops the answer.
        """
        room = max(0, _SPAN_BYTES - len(pcm))
        if room < _LEAST_BYTES or len(before) < _LEAST_BYTES:
            return await self._workers.run(self._judge, pcm)
        return _milder(await self._workers.run(self._judge, before[-room:] + pcm))

    def _judge(self, pcm: bytes) -> float:
        answer = self._model.run(input_features=turn_picture(pcm)[None])
        return float(answer[0][0, 0])


def _milder(probability: float) -> float:
    sure = min(_SURE, max(1 - _SURE, probability))
    return 1 / (1 + math.exp(-_STERNER) * (1 - sure) / sure)


def turn_picture(pcm: bytes) -> Picture:
    """What the model looks at: 8 s with silence in front, brought to one loudness, as (BANDS, 800)."""
    sound = sound_of(pcm[-2 * _SPAN_SAMPLES :])
    silence = _SPAN_SAMPLES - len(sound)
    mean = np.float32(sound.sum(dtype=np.float64) / _SPAN_SAMPLES)
    variance = np.float32(np.square(sound, dtype=np.float64).sum() / _SPAN_SAMPLES) - mean * mean
    scale = np.float32(1) / np.sqrt(variance + np.float32(1e-7))
    level = -mean * scale
    # Every window that lies in the silence looks the same, so one stands for all.
    still = max(0, (silence - _HALF_WINDOW) // HOP)
    power = np.empty((_COLUMNS, BANDS), np.float32)
    power[:still] = mel_power(np.full(_WINDOW, level), 1)
    power[still:] = mel_power(_windows_from(still, silence, (sound - mean) * scale, level), _COLUMNS - still)
    return normalised(power)


def _windows_from(column: int, silence: int, sound: Sound, level: np.float32) -> Sound:
    """The samples under the windows from `column` on; the ends of the 8 s are mirrored."""
    begin = column * HOP - _HALF_WINDOW
    if begin >= 0:
        whole = np.concatenate((np.full(silence - begin, level), sound))
        return np.pad(whole, (0, _HALF_WINDOW), mode="reflect")
    whole = np.concatenate((np.full(silence, level), sound))
    return np.pad(whole, (_HALF_WINDOW, _HALF_WINDOW), mode="reflect")
