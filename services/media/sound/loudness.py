"""Measures how loud sound is, by ITU-R BS.1770, and how much louder it may be made."""

import math
from collections.abc import Iterable
from typing import Final

import av

from services.media.sound.reading import Filter

#: What speech is brought to, in LUFS: that of a voice by itself, which leaves it room for its peaks.
TARGET_LUFS: Final = -18.0
#: As near to full scale as a sample may come, in dB.
_CEILING_DB: Final = -1.0
#: What is quieter is not speech, and is not made louder.
_SILENCE_LUFS: Final = -60.0
_MOST_GAIN_DB: Final = 30.0

MEASURING: Final[Filter] = ("ebur128", "metadata=1:peak=sample:framelog=quiet")


def gain_db(measured: Iterable[av.AudioFrame]) -> float:
    """The gain that brings sound to speech's loudness without clipping; `measured` are the frames after `MEASURING`."""
    loudness, peak = -math.inf, 0.0
    for frame in measured:
        loudness = float(frame.metadata.get("lavfi.r128.I", loudness))
        peak = float(frame.metadata.get("lavfi.r128.sample_peak", peak))
    if loudness <= _SILENCE_LUFS or not peak:
        return 0.0
    room_db = _CEILING_DB - 20 * math.log10(peak)
    return min(TARGET_LUFS - loudness, room_db, _MOST_GAIN_DB)
