"""Small files in every format we read, and broken or hostile ones made of them, the same at every run."""

import io
import random
import struct
from collections.abc import Iterator
from typing import Final

import av
import numpy as np
import soundfile
from av.audio.stream import AudioStream

RATE: Final = 16_000
#: Seconds of sound in each.
SECONDS: Final = 0.5


def tone(
    seconds: float = SECONDS, rate: int = RATE, channels: int = 1
) -> "np.ndarray[tuple[int, int], np.dtype[np.int16]]":
    """A tone of 440 Hz, shaped (samples, channels)."""
    wave = 8000 * np.sin(2 * np.pi * 440 * np.arange(int(seconds * rate)) / rate)
    return np.repeat(wave.astype(np.int16)[:, None], channels, axis=1)


def by_soundfile(format_: str, subtype: str, seconds: float = SECONDS) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, tone(seconds), RATE, format=format_, subtype=subtype)
    return file.getvalue()


def by_ffmpeg(container: str, codec: str, rate: int, seconds: float = SECONDS) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format=container) as out:
        stream = out.add_stream(codec, rate=rate, layout="mono")
        assert isinstance(stream, AudioStream)
        frame = av.AudioFrame.from_ndarray(tone(seconds, rate).reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = rate
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return file.getvalue()


def good() -> dict[str, bytes]:
    """One file of each kind that people send."""
    return {
        "WAV": by_soundfile("WAV", "PCM_16"),
        "WAV in floating point": by_soundfile("WAV", "FLOAT"),
        "µ-law in WAV": by_soundfile("WAV", "ULAW"),
        "µ-law in AU": by_soundfile("AU", "ULAW"),
        "FLAC": by_soundfile("FLAC", "PCM_16"),
        "MP3": by_soundfile("MP3", "MPEG_LAYER_III"),
        "Opus in Ogg": by_ffmpeg("ogg", "libopus", 48_000),
        "Opus in WebM": by_ffmpeg("webm", "libopus", 48_000),
        "AAC": by_ffmpeg("adts", "aac", RATE),
        "AAC in MP4": by_ffmpeg("mp4", "aac", RATE),
    }


def hostile(per_kind: int) -> Iterator[tuple[str, bytes]]:
    """Files that are broken, cut, lie about themselves, or are something else: names and contents."""
    yield from _made_up()
    for kind, content in good().items():
        for number in range(per_kind):
            chance = random.Random(f"{kind} {number}")
            yield f"{kind}, broken {number}", _broken(content, chance)


def _broken(content: bytes, chance: random.Random) -> bytes:
    made = bytearray(content)
    match chance.randrange(6):
        case 0:
            return bytes(made[: chance.randrange(len(made))])
        case 1:
            for _ in range(chance.randrange(1, 50)):
                made[chance.randrange(len(made))] = chance.randrange(256)
        case 2:
            # Where headers are.
            for _ in range(chance.randrange(1, 12)):
                made[chance.randrange(min(100, len(made)))] = chance.choice((0, 0xFF, 0x7F, 0x80))
        case 3:
            at = chance.randrange(len(made))
            made[at : at + chance.randrange(1, 400)] = b""
        case 4:
            at = chance.randrange(len(made))
            made[at:at] = chance.randbytes(chance.randrange(1, 2000))
        case _:
            at = chance.randrange(len(made))
            made[at:] = chance.randbytes(len(made) - at)
    return bytes(made)


def _made_up() -> Iterator[tuple[str, bytes]]:
    yield "nothing", b""
    yield "one byte", b"R"
    yield "text", b"hello " * 1000
    yield "zeros", bytes(100_000)
    yield "a playlist that names a file", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"
    yield "a script of FFmpeg that names a file", b"ffconcat version 1.0\nfile /etc/passwd\n"
    yield "a PNG", b"\x89PNG\r\n\x1a\n" + bytes(100)
    yield "a ZIP", b"PK\x03\x04" + bytes(100)
    yield "a WAV that promises four gigabytes", _wav(rate=RATE, channels=1, data_bytes=0xFFFFFFFF)
    yield "a WAV of a thousand channels", _wav(rate=RATE, channels=1000, data_bytes=2000)
    yield "a WAV without channels", _wav(rate=RATE, channels=0, data_bytes=2000)
    yield "a WAV without a rate", _wav(rate=0, channels=1, data_bytes=2000)
    yield "a WAV of four billion samples a second", _wav(rate=0xFFFFFFFF, channels=1, data_bytes=2000)
    yield "a WAV with no sound", _wav(rate=RATE, channels=1, data_bytes=0, body=b"")
    yield "an Ogg page without an end", b"OggS" + bytes(22) + b"\xff" + b"\xff" * 255
    yield "a FLAC of one word", b"fLaC"
    yield "a WebM of one word", b"\x1aE\xdf\xa3" * 1000
    yield "an ID3 tag that promises 256 MiB", b"ID3\x04\0\0\x7f\x7f\x7f\x7f" + bytes(1000)
    yield "an MP4 whose box is longer than it", struct.pack(">I4s4sI", 0xFFFFFFFF, b"ftyp", b"isom", 0)
    yield "MPEG frames of nothing", b"\xff\xfb\x90\x00" * 5000


def _wav(*, rate: int, channels: int, data_bytes: int, body: bytes = bytes(2000)) -> bytes:
    form = struct.pack("<HHIIHH", 1, channels, rate, (rate * channels * 2) & 0xFFFFFFFF, (channels * 2) & 0xFFFF, 16)
    return (
        b"RIFF" + struct.pack("<I", (36 + data_bytes) & 0xFFFFFFFF) + b"WAVEfmt " + struct.pack("<I", 16) + form
        + b"data" + struct.pack("<I", data_bytes) + body
    )  # fmt: skip
