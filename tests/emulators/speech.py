"""What emulated vendors hear and say: scripted at once, or by the engines that run here."""

import math
from array import array
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import cache

import numpy as np

from services.ai_engine.domain.roles import Recognizer, SpeechChunk, Synthesizer, Transcript, Word

#: Text of PCM at 16 kHz.
Hears = Callable[[bytes], Awaitable[Transcript]]
#: Pieces of sound at 24 kHz; word times count from the first.
Says = Callable[[str], AsyncIterator[SpeechChunk]]

#: 20 ms of something loud at 16 kHz.
FRAME = b"\x00\x20\x00\xe0" * 160
HEARD = "I goed to damn school in two thousand five"
SPEECH_HZ = 24_000
_LOUD = 300
#: A word of n letters sounds so long.
_LETTER_S = 0.05
_TONE_HZ = 330


async def scripted_ears(pcm: bytes) -> Transcript:
    """The same slips in whatever is loud, spread over it; nothing in silence."""
    loud = np.flatnonzero(np.abs(np.frombuffer(pcm, "<i2").astype(np.int32)) > _LOUD) / 16_000
    if not len(loud):
        return Transcript("")
    words = HEARD.split()
    each_s = float(loud[-1] - loud[0]) / len(words)
    begin_s = float(loud[0])
    return Transcript(
        HEARD,
        tuple(
            Word(word, begin_s + place * each_s, begin_s + (place + 1) * each_s, 0.9)
            for place, word in enumerate(words)
        ),
    )


async def scripted_mouth(text: str) -> AsyncIterator[SpeechChunk]:
    """A tone for each word, as long as the word, in a piece of its own."""
    begin_s = 0.0
    for word in text.split():
        length_s = _LETTER_S * len(word)
        yield SpeechChunk(_tone(round(length_s * SPEECH_HZ)), (Word(word, begin_s, begin_s + length_s),))
        begin_s += length_s


def real_ears(recognizer: Recognizer) -> Hears:
    """Hears with an engine that runs here."""

    async def hears(pcm: bytes) -> Transcript:
        return await recognizer.recognize(pcm, language="en")

    return hears


def real_mouth(synthesizer: Synthesizer) -> Says:
    """Speaks with an engine that runs here."""
    assert synthesizer.capabilities.sample_rate_hz == SPEECH_HZ

    def says(text: str) -> AsyncIterator[SpeechChunk]:
        return synthesizer.synthesize(text)

    return says


@cache
def _tone(samples: int) -> bytes:
    step = 2 * math.pi * _TONE_HZ / SPEECH_HZ
    return array("h", (round(8000 * math.cos(step * place)) for place in range(samples))).tobytes()
