"""Sound files of all kinds, good and bad."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from cli.talking.sound import Sound, at_one_rate, check_writable, read_sound, write_sound
from mesh.errors import BadAudioError, InvalidFieldError


def tone(rate_hz: int, seconds: float = 0.5, channels: int = 1) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    wave = 0.5 * np.sin(2 * np.pi * 440 * np.arange(int(rate_hz * seconds)) / rate_hz)
    return np.repeat(wave[:, None], channels, axis=1)


def test_a_stereo_file_is_mixed_to_one_channel_at_its_own_rate(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tone(48_000, channels=2), 48_000)
    sound = read_sound(tmp_path / "a.wav")
    assert (sound.rate_hz, sound.samples) == (48_000, 24_000)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_24", "FLOAT", "ULAW"])
def test_every_sample_format_is_read(tmp_path: Path, subtype: str) -> None:
    soundfile.write(tmp_path / "a.wav", tone(16_000), 16_000, subtype=subtype)
    assert max(np.frombuffer(read_sound(tmp_path / "a.wav").pcm, "<i2")) == pytest.approx(16_384, rel=0.05)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidFieldError, match=r"no file .*missing\.wav"):
        read_sound(tmp_path / "missing.wav")


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.wav").touch()
    with pytest.raises(BadAudioError, match="is empty"):
        read_sound(tmp_path / "empty.wav")


def test_a_file_without_samples_is_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "none.wav", tone(16_000, 0), 16_000)
    with pytest.raises(BadAudioError, match="no samples"):
        read_sound(tmp_path / "none.wav")


def test_a_text_file_is_no_sound(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_text("hello")
    with pytest.raises(BadAudioError, match="not a sound file"):
        read_sound(tmp_path / "a.wav")


def test_samples_that_are_no_numbers_are_silent(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "nan.wav", np.full(160, np.nan), 16_000, subtype="FLOAT")
    assert read_sound(tmp_path / "nan.wav").pcm == bytes(320)


def test_a_file_of_six_minutes_is_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "long.wav", np.zeros(360 * 8000), 8000)
    with pytest.raises(InvalidFieldError, match="longer than"):
        read_sound(tmp_path / "long.wav")


def test_sounds_that_share_an_accepted_rate_keep_it() -> None:
    assert [sound.rate_hz for sound in at_one_rate([Sound(b"", 48_000), Sound(b"", 48_000)])] == [48_000, 48_000]


@pytest.mark.parametrize("rates", [(48_000, 16_000), (22_050,)])
def test_other_sounds_are_brought_to_the_rate_of_recognition(rates: tuple[int, ...]) -> None:
    sounds = [Sound(bytes(rate * 2), rate) for rate in rates]
    assert {(sound.rate_hz, sound.samples) for sound in at_one_rate(sounds)} == {(16_000, 16_000)}


def test_the_last_speech_sample_is_found_before_the_silence() -> None:
    loud = np.full(100, 8000, "<i2").tobytes()
    sound = Sound(bytes(200) + loud + bytes(400), 16_000)
    assert sound.last_speech_sample() == 200
    assert sound.trimmed() == Sound(loud, 16_000)


def test_replies_are_written_one_after_another_with_a_pause(tmp_path: Path) -> None:
    write_sound(tmp_path / "out.wav", [Sound(bytes(24_000 * 2), 24_000)] * 2)
    assert soundfile.info(tmp_path / "out.wav").duration == pytest.approx(2.3)


def test_no_reply_is_written_as_a_file_without_samples(tmp_path: Path) -> None:
    write_sound(tmp_path / "out.wav", [])
    assert soundfile.info(tmp_path / "out.wav").frames == 0


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidFieldError, match="can't be written"):
        write_sound(tmp_path / "nowhere" / "out.wav", [])


def test_a_place_that_can_be_written_is_let_through(tmp_path: Path) -> None:
    check_writable(tmp_path / "new.wav")
    (tmp_path / "old.wav").touch()
    check_writable(tmp_path / "old.wav")


@pytest.mark.parametrize("place", ["", "nowhere/reply.wav"])
def test_a_folder_or_a_place_in_none_can_not_be_written(tmp_path: Path, place: str) -> None:
    with pytest.raises(InvalidFieldError, match="--out"):
        check_writable(tmp_path / place)
