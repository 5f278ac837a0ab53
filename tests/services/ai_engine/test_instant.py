"""The recogniser for measurements knows the lines it is told, and takes no time for it."""

import json

import pytest

from mesh.errors import InvalidFieldError
from mesh.settings import load
from services.ai_engine.domain.roles import HEARING_RATE_HZ
from services.ai_engine.providers.instant import InstantRecognizer, loud_s
from services.ai_engine.settings import Settings


def _sound(seconds: float) -> bytes:
    silence = bytes(HEARING_RATE_HZ // 5)
    return silence + b"\0\x20" * int(seconds * HEARING_RATE_HZ) + silence


async def test_a_line_is_known_by_its_length_whatever_silence_is_around_it() -> None:
    settings = load(Settings, {}, bench_lines=json.dumps({"A tea, please.": loud_s(_sound(0.8)), "And a cake.": 1.2}))
    known = InstantRecognizer(settings.lines())
    heard = await known.recognize(_sound(0.8) + bytes(4000), language="en")
    assert heard.text == "A tea, please."
    assert [word.text for word in heard.words] == ["A", "tea,", "please."]


async def test_any_other_sound_is_the_same_two_words() -> None:
    for lines in ({}, {"A tea, please.": 0.8}):
        assert (await InstantRecognizer(lines).recognize(_sound(1.0), language="en")).text == "Hello there."


@pytest.mark.parametrize("lines", ["Hello.", '["Hello."]', '{"Hello.": "long"}'])
def test_lines_that_are_something_else_are_refused_by_name(lines: str) -> None:
    with pytest.raises(InvalidFieldError, match="VIVAVOCE_AI_ENGINE_BENCH_LINES"):
        load(Settings, {}, bench_lines=lines).lines()
