"""Sound to try the engines on: speech that hibari makes, noise, music and silence that numpy makes."""

import numpy as np
import soxr
from numpy.typing import NDArray

from services.ai_engine.domain.roles import HEARING_RATE_HZ, Synthesizer

Sound = NDArray[np.float64]


async def spoken(synthesizer: Synthesizer, text: str, *, rate: float = 1.0) -> bytes:
    """`text` as a learner's microphone would send it."""
    pcm = b"".join([chunk.pcm async for chunk in synthesizer.synthesize(text, rate=rate)])
    heard = soxr.resample(
        np.frombuffer(pcm, "<i2").astype(np.float32), synthesizer.capabilities.sample_rate_hz, HEARING_RATE_HZ
    )
    return pcm_of(heard / 32768)


def silence(seconds: float) -> bytes:
    return bytes(2 * int(seconds * HEARING_RATE_HZ))


def noise(seconds: float, *, loudness: float = 0.1, slope: float = 1.0) -> bytes:
    """Noise that falls by `slope` with frequency: 0 is white, 1 pink, 2 brown. `loudness` is its peak."""
    count = int(seconds * HEARING_RATE_HZ)
    spectrum = np.fft.rfft(np.random.default_rng(1).standard_normal(count))
    spectrum /= np.maximum(1, np.arange(len(spectrum))) ** (slope / 2)
    sound = np.fft.irfft(spectrum, count)
    return pcm_of(loudness * sound / np.abs(sound).max())


def music(seconds: float) -> bytes:
    """Plucked notes, two a second."""
    times = np.arange(int(seconds * HEARING_RATE_HZ)) / HEARING_RATE_HZ
    notes = np.array([262.0, 330.0, 392.0, 440.0, 523.0])[(times * 2).astype(int) % 5]
    sound = sum(np.sin(2 * np.pi * notes * times * overtone) / overtone for overtone in (1, 2, 3, 4))
    return pcm_of(0.25 * sound * np.exp(-3 * (times % 0.5)))


def pcm_of(sound: Sound) -> bytes:
    samples: NDArray[np.int16] = (np.clip(sound, -1, 1) * 32767).astype("<i2")
    return samples.tobytes()
