"""Cuts long sound where it is quiet, so that each piece fits a model's window."""

from collections.abc import Iterator

import numpy as np

from services.ai_engine.adapters.mel import RATE_HZ, Sound

#: Sound that is longer is cut at the quietest place in the last part of this.
LONGEST_S = 28.0
_CUT_WITHIN_S = 8.0
_STEP = RATE_HZ // 10
#: Part of the loudest sample from which sound counts as voice.
_VOICE = np.float32(1 / 30)


def pieces(sound: Sound) -> Iterator[tuple[int, Sound]]:
    """The sound in pieces of at most LONGEST_S, each with the sample where it begins; joined, they are the sound."""
    longest, within = int(LONGEST_S * RATE_HZ), int(_CUT_WITHIN_S * RATE_HZ)
    begin = 0
    while len(sound) - begin > longest:
        last = sound[begin + longest - within : begin + longest]
        quietest = int(np.argmin(np.square(last).reshape(-1, _STEP).sum(axis=1)))
        cut = begin + longest - within + quietest * _STEP + _STEP // 2
        yield begin, sound[begin:cut]
        begin = cut
    if begin < len(sound):
        yield begin, sound[begin:]


def voiced(sound: Sound, begin_s: float) -> tuple[float, float]:
    """From when to when the sound is loud, in seconds, for sound that begins at `begin_s`."""
    loudness = np.abs(sound)
    loud = np.flatnonzero(loudness >= loudness.max() * _VOICE)
    return begin_s + int(loud[0]) / RATE_HZ, begin_s + int(loud[-1]) / RATE_HZ
