"""The formats sound comes and goes in: how a file is known by its first bytes, and how each is written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from mesh.errors import BadAudioError

#: As much of a file as tells its kind.
HEAD_BYTES: Final = 16
#: Sound without a header, as telephones send it: 8 kHz, one channel.
RAW_MULAW: Final = "mulaw"
_MP3_RATES: Final = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)


@dataclass(frozen=True, slots=True)
class Written:
    """How a format is written."""

    extension: str
    content_type: str
    #: The muxer and the encoder of FFmpeg. Without them libsndfile writes it, several times faster.
    container: str = ""
    codec: str = ""
    #: Bits a second for each channel; 0 where nothing is lost.
    bit_rate: int = 0
    options: Mapping[str, str] = field(default_factory=dict)
    #: The rates it knows, in order; empty where any will do.
    rates_hz: tuple[int, ...] = ()

    def rate_hz(self, wanted_hz: int) -> int:
        """The lowest rate it knows that loses nothing of `wanted_hz`; its highest where none does."""
        if not self.rates_hz:
            return wanted_hz
        return next((rate for rate in self.rates_hz if rate >= wanted_hz), self.rates_hz[-1])


FORMATS: Final[Mapping[str, Written]] = {
    "wav": Written("wav", "audio/wav"),
    "flac": Written("flac", "audio/flac"),
    "opus": Written(
        "opus", "audio/ogg; codecs=opus", "ogg", "libopus", 32_000, {"compression_level": "5"}, rates_hz=(48_000,)
    ),
    "mp3": Written("mp3", "audio/mpeg", "mp3", "libmp3lame", 64_000, {"compression_level": "7"}, _MP3_RATES),
    "aac": Written(
        "m4a", "audio/mp4", "mp4", "aac", 64_000, {"aac_coder": "fast"}, (*_MP3_RATES, 64_000, 88_200, 96_000)
    ),
}


def demuxer_of(head: bytes) -> str:
    """The demuxer for a file that begins so. Only these are ever tried: FFmpeg knows kinds that open other files.

    Raises:
        BadAudioError: it is none of the formats we read.
    """
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
        return "wav"
    for sign, demuxer in ((b"fLaC", "flac"), (b"OggS", "ogg"), (b"\x1aE\xdf\xa3", "matroska"), (b".snd", "au")):
        if head.startswith(sign):
            return demuxer
    if head[4:8] == b"ftyp":
        return "mov"
    if head.startswith(b"ID3"):
        return "mp3"
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        # A frame of MPEG sound: in AAC the bits of the layer are zero.
        return "mp3" if head[1] & 0x06 else "aac"
    raise BadAudioError(
        "This is no sound we read; send WAV, FLAC, Opus in Ogg or WebM, MP3, AAC, or µ-law.", field="content"
    )
