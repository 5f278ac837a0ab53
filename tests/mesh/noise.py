"""Noise without speech."""

import numpy as np


def white_noise(seconds: float, rate_hz: int) -> bytes:
    """White noise, always the same, about as loud as speech."""
    drawn = np.random.default_rng(1).normal(0, 1_600, int(seconds * rate_hz))
    return drawn.clip(-32_768, 32_767).astype("<i2").tobytes()
