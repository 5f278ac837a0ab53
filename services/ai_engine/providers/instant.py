"""Providers that answer at once without a model, to measure what everything around the models costs."""

import math
from array import array
from collections.abc import AsyncIterator, Mapping
from functools import cache
from typing import Final

import numpy as np

from services.ai_engine.domain.roles import (
    HEARING_RATE_HZ,
    Capabilities,
    ReplyPart,
    SpeechChunk,
    TextDelta,
    Transcript,
    TutorContext,
    Word,
)
from services.ai_engine.domain.speech_edges import Cadence

#: Judged every 10 ms, which divides every usual frame: no frame waits for the next. One window makes an end, too.
CADENCE: Final = Cadence(window_samples=HEARING_RATE_HZ // 100, hang_windows=1)
_WINDOW_BYTES: Final = 2 * CADENCE.window_samples
#: Louder than this is speech: 1 % of full scale.
_LOUD: Final = 328
_TONE_HZ: Final = 440
_TONE_S: Final = 2.0
_CHUNK_S: Final = 0.04
_RATE_HZ: Final = 24_000
#: Sounds whose lengths differ by less are the same line.
_ALIKE_S: Final = 0.02
_WORD_S: Final = 0.2
_ANY: Final[frozenset[str]] = frozenset()


def _capabilities(
    label: str, *, sample_rate_hz: int = 0, voices: tuple[str, ...] = (), streams_out: bool = False
) -> Capabilities:
    return Capabilities(
        languages=_ANY,
        local=True,
        label=f"Instant stub, for measurements: {label}.",
        sample_rate_hz=sample_rate_hz,
        word_times=True,
        voices=voices,
        streams_out=streams_out,
    )


class InstantDetection:
    """Voice activity by loudness (SpeechDetection); counts by CADENCE."""

    def __init__(self) -> None:
        self._rest = b""

    async def probabilities(self, pcm: bytes) -> list[float]:
        """1 for each loud window, 0 for each other."""
        pcm = self._rest + pcm
        used = len(pcm) // _WINDOW_BYTES * _WINDOW_BYTES
        self._rest = pcm[used:]
        if not used:
            return []
        sound = np.frombuffer(pcm[:used], dtype="<i2")
        peaks = np.maximum.reduceat(np.maximum(sound, ~sound), range(0, len(sound), CADENCE.window_samples))
        return list(map(float, (peaks > _LOUD).tolist()))

    async def glimpse(self) -> float:
        """Nothing: it is never in doubt."""
        return 0.0


class InstantVoiceActivity:
    """Voice activity by loudness (VoiceActivity)."""

    name = "instant"
    capabilities = _capabilities("calls speech what is loud")

    def open(self) -> InstantDetection:
        """Starts a detection for a new session."""
        return InstantDetection()


class InstantTurnEnd:
    """Takes every pause for the end (TurnEnd)."""

    name = "instant"
    capabilities = _capabilities("takes every pause for the end")

    async def probability(self, pcm: bytes, before: bytes = b"") -> float:
        """Always 1."""
        return 1.0


class InstantRecognizer:
    """Hears the same in everything, but for `lines` and their seconds: it knows them by their length (Recognizer)."""

    name = "instant"
    capabilities = _capabilities("hears the same in everything")

    def __init__(self, lines: Mapping[str, float] | None = None) -> None:
        self._lines = lines or {}

    async def recognize(self, pcm: bytes, *, language: str) -> Transcript:
        """The line, or the same two words."""
        length_s = loud_s(pcm)
        known = (line for line, seconds in self._lines.items() if abs(seconds - length_s) < _ALIKE_S)
        text = next(known, "Hello there.")
        times = enumerate(text.split())
        return Transcript(text, tuple(Word(word, place * _WORD_S, (place + 1) * _WORD_S) for place, word in times))


def loud_s(pcm: bytes) -> float:
    """Seconds from the first loud sample to the last, at the hearing rate."""
    loud = np.flatnonzero(np.abs(np.frombuffer(pcm, dtype="<i2").astype(np.int32)) > _LOUD)
    return int(loud[-1] - loud[0]) / HEARING_RATE_HZ if len(loud) else 0.0


class InstantLanguageModel:
    """Answers the same to everything (LanguageModel)."""

    name = "instant"
    capabilities = _capabilities("answers the same to everything")

    async def reply(self, context: TutorContext) -> AsyncIterator[ReplyPart]:
        """One sentence."""
        yield TextDelta("This is the same answer as ever.")


class InstantSynthesizer:
    """Hums (Synthesizer)."""

    name = "instant"
    capabilities = _capabilities("hums for two seconds", sample_rate_hz=_RATE_HZ, voices=("tone",), streams_out=True)

    async def synthesize(self, text: str, *, voice: str = "", rate: float = 1.0) -> AsyncIterator[SpeechChunk]:
        """Two seconds of a tone, with the words spread over them."""
        words = text.split()
        each_s = _TONE_S / max(1, len(words))
        times = [Word(word, place * each_s, (place + 1) * each_s) for place, word in enumerate(words)]
        for place, pcm in enumerate(_tone()):
            begin_s, end_s = place * _CHUNK_S, (place + 1) * _CHUNK_S
            yield SpeechChunk(pcm, tuple(word for word in times if begin_s <= word.start_s < end_s))


@cache
def _tone() -> tuple[bytes, ...]:
    step = 2 * math.pi * _TONE_HZ / _RATE_HZ
    # A cosine: the first sample is loud already, so that a clock that waits for sound stops at it.
    tone = array("h", (round(9000 * math.cos(step * place)) for place in range(int(_TONE_S * _RATE_HZ)))).tobytes()
    chunk = int(_CHUNK_S * _RATE_HZ) * 2
    return tuple(tone[begin : begin + chunk] for begin in range(0, len(tone), chunk))
