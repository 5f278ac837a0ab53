"""The log-mel picture of sound that Whisper and the models made from it look at."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 16_000
#: Samples from one column of the picture to the next: 10 ms.
HOP = 160
BANDS = 80
_FFT = 400
_FLOOR = np.float32(1e-10)
#: What lies more than eight decades below the loudest point is cut.
_RANGE = np.float32(8.0)

Sound = NDArray[np.float32]
Picture = NDArray[np.float32]


def sound_of(pcm: bytes) -> Sound:
    """16-bit PCM as numbers from -1 to 1."""
    return np.frombuffer(pcm, dtype="<i2").astype(np.float32) / np.float32(32768)


def log_mel(sound: Sound, *, columns: int, bands: int = BANDS) -> Picture:
    """The picture of `sound` followed by silence, `columns` wide, as (bands, columns).

    Cheap for short sound: silence costs nothing.
    """
    power = np.full((columns, bands), _FLOOR)
    filled = min(columns, len(sound) // HOP + 2)
    # The reference mirrors the edges; at the end the mirror only matters when the sound fills the picture.
    room = (filled - 1) * HOP + _FFT // 2 - len(sound)
    padded = np.pad(np.pad(sound, (0, max(0, room))), (_FFT // 2, 0), mode="reflect")
    power[:filled] = mel_power(padded, filled, bands=bands)
    return normalised(power)


def mel_power(padded: Sound, columns: int, *, bands: int = BANDS) -> Picture:
    """Power in each band, (columns, bands), of the windows that start every HOP samples in `padded`."""
    windows = np.lib.stride_tricks.sliding_window_view(padded, _FFT)[::HOP][:columns]
    spectrum = np.fft.rfft(windows * _window(), axis=-1)
    return (np.square(spectrum.real) + np.square(spectrum.imag)) @ _filters(bands)


def normalised(power: Picture) -> Picture:
    """Power (columns, bands) on Whisper's logarithmic scale, as (bands, columns)."""
    picture = np.log10(np.maximum(power, _FLOOR)).T
    picture = np.maximum(picture, picture.max() - _RANGE)
    return np.ascontiguousarray((picture + np.float32(4.0)) / np.float32(4.0))


@cache
def _window() -> Sound:
    return np.hanning(_FFT + 1)[:-1].astype(np.float32)


@cache
def _filters(bands: int) -> NDArray[np.float32]:
    """Triangles on Slaney's mel scale, each of unit area, as (frequencies, bands)."""
    edges = _hertz(np.linspace(0.0, _mel(RATE_HZ / 2), bands + 2))
    bins = np.linspace(0.0, RATE_HZ / 2, _FFT // 2 + 1)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    filters: NDArray[np.float32] = (triangles * 2.0 / (edges[2:] - edges[:-2])).astype(np.float32)
    return filters


# Slaney's scale is linear up to 1000 Hz (15 mel) and logarithmic above.
_LINEAR_HZ = 200.0 / 3
_BEND_MEL = 15.0
_STEP = np.log(6.4) / 27.0


def _mel(hertz: float) -> float:
    return hertz / _LINEAR_HZ if hertz < 1000.0 else float(_BEND_MEL + np.log(hertz / 1000.0) / _STEP)


def _hertz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(mel < _BEND_MEL, mel * _LINEAR_HZ, 1000.0 * np.exp(_STEP * (mel - _BEND_MEL)))
