"""Reads and writes sound files, and finds the speech in them."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from mesh.audio import BYTES_PER_SAMPLE, HEARING_HZ, first_audible
from mesh.errors import BadAudioError, InvalidFieldError

#: Rates the contract takes as they are.
ACCEPTED_HZ: Final = frozenset({8_000, 16_000, 24_000, 44_100, 48_000})
_LONGEST_S: Final = 300
#: Speech is louder than this: -36 dB of full scale, above the noise of a quiet room.
_SPEECH: Final = 500
_PAUSE_S: Final = 0.3


@dataclass(frozen=True, slots=True)
class Sound:
    """Signed 16-bit samples, one channel."""

    pcm: bytes
    rate_hz: int

    @property
    def samples(self) -> int:
        """How many there are."""
        return len(self.pcm) // BYTES_PER_SAMPLE

    @property
    def duration_s(self) -> float:
        """How long it sounds."""
        return self.samples / self.rate_hz

    def last_speech_sample(self) -> int:
        """Index after the last sample that is as loud as speech; the end where none is."""
        loud = np.flatnonzero(np.abs(self._array().astype(np.int32)) > _SPEECH)
        return int(loud[-1]) + 1 if loud.size else self.samples

    def trimmed(self) -> "Sound":
        """Without the silence before and after."""
        begins = first_audible(self.pcm) or 0
        return Sound(self.pcm[begins * BYTES_PER_SAMPLE : self.last_speech_sample() * BYTES_PER_SAMPLE], self.rate_hz)

    def at_rate(self, rate_hz: int) -> "Sound":
        """The same sound at another rate."""
        if rate_hz == self.rate_hz:
            return self
        resampled = soxr.resample(self._array(), self.rate_hz, rate_hz)
        return Sound(_pcm(resampled), rate_hz)

    def _array(self) -> NDArray[np.int16]:
        return np.frombuffer(self.pcm, dtype="<i2")


def read_sound(path: Path) -> Sound:
    """Reads a file of any rate, sample format and number of channels that libsndfile knows; mixes it to one channel.

    Raises:
        InvalidFieldError: there is no such file, or it is longer than five minutes.
        BadAudioError: it is empty, or is no sound.
    """
    if not path.is_file():
        raise InvalidFieldError(f"There is no file {path}; give the path of a recording.", field="wav")
    if path.stat().st_size == 0:
        raise BadAudioError(f"{path} is empty; record something first.", field="wav")
    try:
        with soundfile.SoundFile(path) as file:
            if file.frames > _LONGEST_S * file.samplerate:
                raise InvalidFieldError(f"{path} is longer than {_LONGEST_S} s; cut it into turns.", field="wav")
            channels: NDArray[np.float32] = file.read(dtype="float32", always_2d=True)
            rate_hz = int(file.samplerate)
    except soundfile.LibsndfileError:
        raise BadAudioError(
            f"{path} is not a sound file that can be read; give WAV, FLAC, OGG or MP3.", field="wav"
        ) from None
    if len(channels) == 0:
        raise BadAudioError(f"{path} holds no samples; record something first.", field="wav")
    mono = np.nan_to_num(channels.mean(axis=1))
    return Sound(_pcm(mono * 32767), rate_hz)


def at_one_rate(sounds: list[Sound]) -> list[Sound]:
    """The sounds at a rate the contract takes: their own where they share one, else that of recognition."""
    rates = {sound.rate_hz for sound in sounds}
    if len(rates) == 1 and rates <= ACCEPTED_HZ:
        return sounds
    return [sound.at_rate(HEARING_HZ) for sound in sounds]


def check_writable(path: Path) -> None:
    """Sees to it that a sound file can be written there, before anybody talks for it.

    Raises:
        InvalidFieldError: it can't.
    """
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise _not_writable(path)


def write_sound(path: Path, pieces: list[Sound]) -> None:
    """Writes the pieces to a WAV file, one after another with a short pause; an empty file of sound for none.

    Raises:
        InvalidFieldError: the file can't be written.
    """
    rate_hz = pieces[0].rate_hz if pieces else HEARING_HZ
    pause = bytes(int(_PAUSE_S * rate_hz) * BYTES_PER_SAMPLE)
    pcm = pause.join(piece.at_rate(rate_hz).pcm for piece in pieces)
    try:
        soundfile.write(path, np.frombuffer(pcm, dtype="<i2"), rate_hz, subtype="PCM_16", format="WAV")
    except (OSError, soundfile.LibsndfileError):
        raise _not_writable(path) from None


def _not_writable(path: Path) -> InvalidFieldError:
    return InvalidFieldError(f"{path} can't be written; choose another place with --out.", field="out")


def _pcm(samples: NDArray[np.float32] | NDArray[np.int16]) -> bytes:
    return np.clip(samples, -32768, 32767).astype("<i2").tobytes()
