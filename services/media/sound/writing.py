"""Writes sound files."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol

import av
import numpy as np
import soundfile
from av.audio.stream import AudioStream
from numpy.typing import NDArray

from services.media.sound.formats import FORMATS, Written

#: Samples one after the other; of two channels alternately.
Samples = NDArray[np.int16]

_LAYOUTS: Final = {1: "mono", 2: "stereo"}
_BLOCK: Final = 1 << 20


class Sink(Protocol):
    """Takes 16-bit samples in, shaped (samples, channels)."""

    def write(self, samples: Samples) -> None:
        """Writes them."""
        ...


@contextmanager
def sink(target: Path, format_: str, rate_hz: int, channels: int) -> Iterator[Sink]:
    """A file of that format, whole when the block ends. `rate_hz` is one that the format knows."""
    written = FORMATS[format_]
    if not written.codec:
        with soundfile.SoundFile(target, "w", rate_hz, channels, format=format_.upper(), subtype="PCM_16") as file:
            yield file
        return
    # Without it Ogg files get a serial number by chance: the same sound would not be the same file.
    with av.open(target, "w", format=written.container, options={"fflags": "+bitexact"}) as container:
        encoder = _Encoder(container, written, rate_hz, channels)
        yield encoder
        encoder.flush()


class _Encoder:
    """A `Sink` by an encoder of FFmpeg."""

    def __init__(self, container: av.container.OutputContainer, written: Written, rate_hz: int, channels: int) -> None:
        self._container = container
        self._layout = _LAYOUTS[channels]
        self._rate_hz = rate_hz
        stream = container.add_stream(written.codec, rate=rate_hz, layout=self._layout, options=dict(written.options))
        assert isinstance(stream, AudioStream), "an encoder of sound"
        stream.bit_rate = written.bit_rate * channels
        stream.codec_context.thread_count = 1
        self._stream = stream
        self._position = 0

    def write(self, samples: Samples) -> None:
        if not samples.size:
            return
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(samples).reshape(1, -1), format="s16", layout=self._layout
        )
        frame.sample_rate = self._rate_hz
        frame.pts = self._position
        self._position += frame.samples
        self._container.mux(self._stream.encode(frame))

    def flush(self) -> None:
        self._container.mux(self._stream.encode(None))


def sum_of(file: Path) -> str:
    """Its SHA-256 in hexadecimal."""
    sha256 = hashlib.sha256()
    with file.open("rb") as read:
        while block := read.read(_BLOCK):
            sha256.update(block)
    return sha256.hexdigest()
