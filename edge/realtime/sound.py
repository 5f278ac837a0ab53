"""The three formats of sound of the dialect: 16-bit PCM, and G.711 by either law."""

from dataclasses import dataclass
from typing import Any, Final, Literal, assert_never

import numpy as np
from numpy.typing import NDArray

from edge.realtime.fields import Fields
from edge.realtime.refused import invalid
from mesh.audio import BYTES_PER_SAMPLE

FormatName = Literal["audio/pcm", "audio/pcmu", "audio/pcma"]
_NAMES: Final[tuple[FormatName, ...]] = ("audio/pcm", "audio/pcmu", "audio/pcma")
_PCM_HZ: Final = 24_000
_G711_HZ: Final = 8_000
#: What the contract takes; OpenAI itself knows 24 kHz only.
_RATES_HZ: Final = (8_000, 16_000, 24_000, 44_100, 48_000)


@dataclass(frozen=True, slots=True)
class SoundFormat:
    """How one direction of a session sounds."""

    name: FormatName = "audio/pcm"
    rate_hz: int = _PCM_HZ

    def to_pcm(self, sound: bytes) -> bytes:
        """16-bit samples of what came."""
        match self.name:
            case "audio/pcm":
                return sound
            case "audio/pcmu":
                return _ULAW[np.frombuffer(sound, np.uint8)].tobytes()
            case "audio/pcma":
                return _ALAW[np.frombuffer(sound, np.uint8)].tobytes()
            case _:
                assert_never(self.name)

    def from_pcm(self, pcm: bytes) -> bytes:
        """What goes out for 16-bit samples."""
        match self.name:
            case "audio/pcm":
                return pcm
            case "audio/pcmu":
                return _TO_ULAW[np.frombuffer(pcm, "<i2").astype(np.int32) + _OFFSET].tobytes()
            case "audio/pcma":
                return _TO_ALAW[np.frombuffer(pcm, "<i2").astype(np.int32) + _OFFSET].tobytes()
            case _:
                assert_never(self.name)

    def as_json(self) -> dict[str, Any]:
        """The object of the dialect."""
        return {"type": self.name, "rate": self.rate_hz} if self.name == "audio/pcm" else {"type": self.name}

    def samples_of_ms(self, ms: int) -> int:
        """Samples in so many milliseconds."""
        return ms * self.rate_hz // 1000

    def ms_of_samples(self, samples: int) -> int:
        """Milliseconds of so many samples."""
        return samples * 1000 // self.rate_hz


def read_format(fields: Fields) -> SoundFormat:
    """The format an object of the dialect names.

    Raises:
        RefusedEventError: there is none such.
    """
    name = fields.word("type", _NAMES)
    rate_hz = fields.whole("rate", _PCM_HZ if name == "audio/pcm" else _G711_HZ)
    if rate_hz not in (_RATES_HZ if name == "audio/pcm" else (_G711_HZ,)):
        raise invalid(f"{fields.path('rate')} is no rate of {name} here.", fields.path("rate"))
    return SoundFormat(next(each for each in _NAMES if each == name), rate_hz)


def _ulaw() -> NDArray[np.int16]:
    """ITU-T G.711, µ-law: what each of the 256 codes sounds like."""
    code = ~np.arange(256, dtype=np.uint8)
    segment, step = (code >> 4 & 7).astype(np.int32), (code & 15).astype(np.int32)
    size = ((step << 3) + 132 << segment) - 132
    return np.where(code & 128, -size, size).astype("<i2")


def _alaw() -> NDArray[np.int16]:
    """ITU-T G.711, A-law."""
    code = np.arange(256, dtype=np.uint8) ^ 0x55
    segment, step = (code >> 4 & 7).astype(np.int32), (code & 15).astype(np.int32)
    size = np.where(segment == 0, (step << 4) + 8, (step << 4) + 264 << np.maximum(segment - 1, 0))
    return np.where(code & 128, size, -size).astype("<i2")


def _nearest(sounds: NDArray[np.int16]) -> NDArray[np.uint8]:
    """The code that sounds nearest to each of the 65,536 samples."""
    # Of two codes for silence the greater, which all others use.
    order = np.lexsort((-np.arange(sounds.size), sounds))
    levels = sounds[order].astype(np.int32)
    samples = np.arange(-_OFFSET, _OFFSET, dtype=np.int32)
    above = np.clip(np.searchsorted(levels, samples), 1, len(levels) - 1)
    below = above - 1
    nearer = np.where(samples - levels[below] <= levels[above] - samples, below, above)
    return order[nearer].astype(np.uint8)


_OFFSET: Final = 1 << (8 * BYTES_PER_SAMPLE - 1)
_ULAW: Final = _ulaw()
_ALAW: Final = _alaw()
_TO_ULAW: Final = _nearest(_ULAW)
_TO_ALAW: Final = _nearest(_ALAW)
