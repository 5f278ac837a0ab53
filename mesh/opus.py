"""Writes PCM as Opus packets of 20 ms, and reads it back with every sample in its place."""

from collections.abc import Iterator, Sequence
from typing import Final

import av
import numpy as np

from mesh.errors import BadAudioError

#: Rates that packets are made from and read to; what is in them is always at 48 kHz.
RATES_HZ: Final = (8000, 16_000, 24_000, 48_000)
PACKETS_A_SECOND: Final = 50
_WITHIN_HZ: Final = 48_000
_WITHIN: Final = _WITHIN_HZ // PACKETS_A_SECOND
#: What comes out of a decoder first was never put in: the encoder looks 6.5 ms ahead.
_PRE_SKIP: Final = 312
#: Speech is hardly told from the original at this, and takes a sixteenth of what 24 kHz take.
_BITS_A_SECOND: Final = "24000"
#: Of ten: half the work of the most, and not heard in speech.
_EFFORT: Final = "5"


class OpusEncoder:
    """One stretch of sound without a gap. Use one for each."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._packet_bytes = rate_hz // PACKETS_A_SECOND * 2
        self._waiting = b""
        self._codec = av.AudioCodecContext.create("libopus", "w")
        self._codec.sample_rate = rate_hz
        self._codec.layout = "mono"
        self._codec.format = "s16"
        self._codec.options = {"application": "voip", "b": _BITS_A_SECOND, "compression_level": _EFFORT}

    def encode(self, pcm: bytes) -> list[bytes]:
        """The packets that `pcm` completes; what is over waits for the next."""
        sound = self._waiting + pcm
        whole = len(sound) - len(sound) % self._packet_bytes
        self._waiting = sound[whole:]
        return list(self._packets(sound[:whole]))

    def flush(self) -> list[bytes]:
        """The last packets: with silence after the sound, as far as a decoder needs it to give all that was put in."""
        ahead = _PRE_SKIP * self._rate_hz // _WITHIN_HZ * 2
        rest = self._waiting + bytes(ahead)
        self._waiting = b""
        return list(self._packets(rest + bytes(-len(rest) % self._packet_bytes)))

    def _packets(self, sound: bytes) -> Iterator[bytes]:
        for start in range(0, len(sound), self._packet_bytes):
            samples = np.frombuffer(sound[start : start + self._packet_bytes], dtype="<i2")
            frame = av.AudioFrame.from_ndarray(samples[np.newaxis], format="s16", layout="mono")
            frame.sample_rate = self._rate_hz
            for packet in self._codec.encode(frame):
                yield bytes(packet)


class OpusDecoder:
    """One stream of packets: the n-th sample that comes out is the n-th that went in, or a silent one put between.

    Held back are the last 6.5 ms, which come with the next packet, and sixteen samples more below 48 kHz.
    """

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._skip = _PRE_SKIP
        self._codec = av.AudioCodecContext.create("libopus", "r")
        self._codec.sample_rate = _WITHIN_HZ
        self._codec.layout = "mono"
        self._resampler = av.AudioResampler(format="s16", layout="mono", rate=rate_hz)

    def decode(self, packets: Sequence[bytes], field: str) -> bytes:
        """The sound that `packets` complete.

        Raises:
            BadAudioError: one is broken, or does not hold 20 ms; `field` is the path of the field they came in.
        """
        return b"".join(self._sound(packet, field) for packet in packets)

    def silence(self, samples: int) -> bytes:
        """What comes out where so many samples were left out: silence, as long as they were."""
        return self._resampled(np.zeros(samples * _WITHIN_HZ // self._rate_hz, dtype=np.int16))

    def _sound(self, packet: bytes, field: str) -> bytes:
        try:
            frames = self._codec.decode(av.Packet(packet)) if packet else []
        except av.error.InvalidDataError:
            frames = []
        decoded = [frame.to_ndarray()[0] for frame in frames]
        if sum(map(len, decoded)) != _WITHIN:
            raise BadAudioError(f"{field} holds what is no Opus packet of 20 ms; send one a frame.", field=field)
        sound = np.concatenate(decoded)[self._skip :]
        self._skip = 0
        return self._resampled(sound)

    def _resampled(self, sound: "np.ndarray[tuple[int], np.dtype[np.int16]]") -> bytes:
        if self._rate_hz == _WITHIN_HZ:
            return sound.tobytes()
        frame = av.AudioFrame.from_ndarray(sound[np.newaxis], format="s16", layout="mono")
        frame.sample_rate = _WITHIN_HZ
        return b"".join(given.to_ndarray().tobytes() for given in self._resampler.resample(frame))
