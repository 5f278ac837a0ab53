"""Stretches of a track, and the header of a WAV file."""

import io

import pytest
import soundfile

from mesh.errors import InvalidFieldError
from services.media.domain.recordings import Segment
from services.media.domain.stretch import Excerpt, Silence, stretch, wav_header
from services.media.domain.tracks import Track

FIRST = Segment(Track.LEARNER, 10, 10, "")
SECOND = Segment(Track.LEARNER, 30, 10, "")


@pytest.mark.parametrize(
    ("from_sample", "to_sample", "samples", "parts"),
    [
        (0, 0, 40, [Silence(10), Excerpt(FIRST, 0, 10), Silence(10), Excerpt(SECOND, 0, 10)]),
        (12, 35, 23, [Excerpt(FIRST, 2, 8), Silence(10), Excerpt(SECOND, 0, 5)]),
        (15, 18, 3, [Excerpt(FIRST, 5, 3)]),
        (22, 25, 3, [Silence(3)]),
        (35, 99, 5, [Excerpt(SECOND, 5, 5)]),
        (20, 20, 0, []),
        (40, 0, 0, []),
    ],
)
def test_a_stretch_is_made_of_what_was_kept_and_silence_between(
    from_sample: int, to_sample: int, samples: int, parts: list[Excerpt | Silence]
) -> None:
    length, found = stretch([FIRST, SECOND], from_sample, to_sample)
    assert (length, list(found)) == (samples, parts)


def test_a_track_without_sound_is_empty() -> None:
    length, parts = stretch([], 0, 0)
    assert (length, list(parts)) == (0, [])


@pytest.mark.parametrize(("from_sample", "to_sample"), [(41, 0), (30, 20)])
def test_a_range_upside_down_or_after_the_end_is_refused(from_sample: int, to_sample: int) -> None:
    with pytest.raises(InvalidFieldError):
        stretch([FIRST, SECOND], from_sample, to_sample)


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 24_000, 44_100, 48_000])
def test_other_programs_read_the_header(rate_hz: int) -> None:
    file = wav_header(rate_hz, 100) + bytes(200)
    assert len(wav_header(rate_hz, 100)) == 44
    info = soundfile.info(io.BytesIO(file))
    assert (info.samplerate, info.channels, info.frames, info.subtype) == (rate_hz, 1, 100, "PCM_16")
