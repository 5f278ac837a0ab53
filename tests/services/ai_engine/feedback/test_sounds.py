"""Guesses at sounds: what was said as expected is left alone, and one sound for another is told with both."""

import numpy as np
import pytest

from services.ai_engine.domain.remarks import PronouncedWord, SaidTurn
from services.ai_engine.domain.roles import Word
from services.ai_engine.feedback.sounds import SoundGuesses
from services.ai_engine.providers.hibari import HibariSynthesizer
from tests.services.ai_engine.clips import pcm_of, spoken

_ROOM = np.random.default_rng(1).normal(0, 0.003, 16_000 * 10)


@pytest.fixture(scope="module")
def guesses() -> SoundGuesses:
    return SoundGuesses()


async def _told(guesses: SoundGuesses, voice: HibariSynthesizer, text: str, said: str) -> list[PronouncedWord]:
    """What is told of `text` where the learner's mouth made `said` of it, in a room that is not quite silent."""
    sound = np.frombuffer(await spoken(voice, said), "<i2") / 32768
    remark = guesses(SaidTurn(text, pcm=pcm_of(sound + _ROOM[: len(sound)])))
    if remark is None:
        return []
    assert (remark.source, remark.approximate) == ("hama", True)
    return list(remark.words)


@pytest.mark.parametrize(
    ("text", "said", "word", "expected", "heard"),
    [
        ("I'd like the rice, please.", "I'd like the lice, please.", "rice", "ɹaɪs", "laɪs"),  # noqa: RUF001
        ("I heard it was free.", "I heard it was flee.", "free", "fɹi", "fli"),
        ("We went by the west road.", "We went by the vest road.", "west", "wɛst", "vɛst"),
    ],
)
async def test_a_sound_said_as_another_is_told_with_both(
    guesses: SoundGuesses, synthesizer: HibariSynthesizer, text: str, said: str, word: str, expected: str, heard: str
) -> None:
    (told,) = await _told(guesses, synthesizer, text, said)
    assert (told.word, told.expected_sounds, told.heard_sounds) == (word, expected, heard)
    assert text[told.start : told.end] == word
    assert told.score < 0.05


async def test_what_was_said_as_people_expect_it_is_left_alone(
    guesses: SoundGuesses, synthesizer: HibariSynthesizer
) -> None:
    for text in (
        "I think the weather is lovely this week.",
        "She very rarely sells fresh fish on Thursdays.",
        "We'd rather walk there with our brother, wouldn't we?",
    ):
        assert not await _told(guesses, synthesizer, text, text), text


async def test_where_nothing_can_be_sure_nothing_is_guessed(
    guesses: SoundGuesses, synthesizer: HibariSynthesizer
) -> None:
    text, pcm = "We went by the west road.", await spoken(synthesizer, "We went by the vest road.")
    scored = (Word("west", 0.2, 0.5, pronunciation=0.9),)
    assert guesses(SaidTurn(text, pcm=pcm)) is not None
    for turn in (
        SaidTurn(text),
        SaidTurn(text, pcm=pcm, language="de"),
        SaidTurn(text, scored, pcm),
        SaidTurn("We went by the west road 2.", pcm=pcm),
        SaidTurn("…", pcm=pcm),
        SaidTurn(text, pcm=pcm[:400]),
        SaidTurn(text, pcm=pcm * 12),
    ):
        assert guesses(turn) is None
