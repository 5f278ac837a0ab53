"""G.711 by either law: each code is itself again, and speech comes through."""

import numpy as np
import pytest

from edge.realtime.sound import FormatName, SoundFormat


@pytest.mark.parametrize(("law", "codes", "samples"), [
    # From the tables of ITU-T G.711: the loudest of either sign, and silence.
    ("audio/pcmu", b"\x00\x80\xff", [-32124, 32124, 0]),
    ("audio/pcma", b"\x2a\xaa\xd5", [-32256, 32256, 8]),
])  # fmt: skip
def test_codes_sound_as_the_standard_says(law: FormatName, codes: bytes, samples: list[int]) -> None:
    assert np.frombuffer(SoundFormat(law, 8000).to_pcm(codes), "<i2").tolist() == samples


@pytest.mark.parametrize("law", ["audio/pcmu", "audio/pcma"])
def test_every_sound_comes_back_as_itself(law: FormatName) -> None:
    form = SoundFormat(law, 8000)
    once = form.to_pcm(bytes(range(256)))
    assert form.to_pcm(form.from_pcm(once)) == once


@pytest.mark.parametrize("law", ["audio/pcmu", "audio/pcma"])
@pytest.mark.parametrize("loudness", [300, 3000, 30_000])
def test_speech_is_30_db_above_what_the_law_adds(law: FormatName, loudness: int) -> None:
    form = SoundFormat(law, 8000)
    sent = (np.sin(np.arange(8000) * 0.7) * loudness).astype("<i2")
    came = np.frombuffer(form.to_pcm(form.from_pcm(sent.tobytes())), "<i2")
    noise = float(((came.astype(float) - sent) ** 2).mean())
    assert 10 * np.log10(float((sent.astype(float) ** 2).mean()) / noise) > 30
