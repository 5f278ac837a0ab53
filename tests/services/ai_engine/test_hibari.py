import asyncio
from contextlib import aclosing

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mesh.errors import InvalidFieldError
from mesh.workers import Workers
from services.ai_engine.domain.roles import SpeechChunk
from services.ai_engine.providers.hibari import HibariSynthesizer

_RATE_HZ = 24_000


async def _chunks(synthesizer: HibariSynthesizer, text: str, *, rate: float = 1.0) -> list[SpeechChunk]:
    return [chunk async for chunk in synthesizer.synthesize(text, rate=rate)]


def _sound(chunk: SpeechChunk) -> NDArray[np.float64]:
    return np.frombuffer(chunk.pcm, "<i2").astype(np.float64) / 32768


async def test_each_sentence_is_a_chunk_in_order(synthesizer: HibariSynthesizer) -> None:
    chunks = await _chunks(synthesizer, "Good morning! How can I help you, Dr. Smith? Take a seat.")
    assert [" ".join(word.text for word in chunk.words) for chunk in chunks] == [
        "Good morning!",
        "How can I help you, Dr. Smith?",
        "Take a seat.",
    ]


async def test_speech_is_loud_and_does_not_clip(synthesizer: HibariSynthesizer) -> None:
    for text in ("Good morning!", "Well, I'd like two coffees, please.", "What a wonderful surprise!", "Yes."):
        for chunk in await _chunks(synthesizer, text):
            assert 0.35 <= np.abs(_sound(chunk)).max() <= 0.75


async def test_the_first_sample_heard_comes_at_once(synthesizer: HibariSynthesizer) -> None:
    for text in ("Good morning!", "I see.", "How are you?"):
        [chunk] = await _chunks(synthesizer, text)
        assert np.argmax(np.abs(_sound(chunk)) > 0.02) < 0.03 * _RATE_HZ


async def test_a_comma_pauses_less_than_a_full_stop(synthesizer: HibariSynthesizer) -> None:
    [clause] = await _chunks(synthesizer, "When I was young,")
    [sentence] = await _chunks(synthesizer, "When I was young.")

    def pause_s(chunk: SpeechChunk) -> float:
        return float(np.argmax(np.abs(_sound(chunk)[::-1]) > 0.03)) / _RATE_HZ

    assert pause_s(clause) < 0.15 < pause_s(sentence) < 0.35


async def test_words_sound_one_after_the_other_across_chunks(synthesizer: HibariSynthesizer) -> None:
    chunks = await _chunks(synthesizer, "That costs $3.50, Dr. Smith. The train leaves at 7:30 pm.")
    words = [word for chunk in chunks for word in chunk.words]
    assert [word.text for word in words] == [
        *("That", "costs", "$3.50,", "Dr.", "Smith.", "The", "train", "leaves", "at", "7:30", "pm."),
    ]
    times = [time for word in words for time in (word.start_s, word.end_s)]
    assert times == sorted(times)
    assert times[-1] <= sum(len(chunk.pcm) for chunk in chunks) / 2 / _RATE_HZ


async def test_word_times_begin_and_end_with_the_sound(synthesizer: HibariSynthesizer) -> None:
    for text in ("My brother has lived in Tokyo.", "Good morning!", "Could you tell me where the station is?"):
        [chunk] = await _chunks(synthesizer, text)
        audible = np.flatnonzero(np.abs(_sound(chunk)) > 0.02) / _RATE_HZ
        assert chunk.words[0].start_s == pytest.approx(audible[0], abs=0.1)
        assert chunk.words[-1].end_s == pytest.approx(audible[-1], abs=0.05)


async def test_a_slower_rate_takes_longer(synthesizer: HibariSynthesizer) -> None:
    lengths = [
        sum(len(chunk.pcm) for chunk in await _chunks(synthesizer, "My brother has lived in Tokyo.", rate=rate))
        for rate in (0.5, 1.0, 1.5)
    ]
    assert lengths[0] > 1.5 * lengths[1] > 1.5 * lengths[2]


async def test_the_same_text_sounds_the_same_each_time(synthesizer: HibariSynthesizer) -> None:
    assert await _chunks(synthesizer, "Good morning!") == await _chunks(synthesizer, "Good morning!")


@pytest.mark.parametrize("text", ["", " \n ", "...", "—", "?!", "🙂"])
async def test_a_text_without_words_makes_no_sound(synthesizer: HibariSynthesizer, text: str) -> None:
    assert await _chunks(synthesizer, text) == []


@pytest.mark.parametrize(
    "text",
    ["a" * 3000, "word " * 600, "Zürich 東京 ¿qué?", "It is 5 m² or ፩¹ ½.", "C++ & e-mail: me@example.org / 50%"],
)
async def test_strange_texts_are_spoken_in_bounded_pieces(synthesizer: HibariSynthesizer, text: str) -> None:
    chunks = await _chunks(synthesizer, text)
    assert chunks
    assert all(len(chunk.pcm) < 60 * 2 * _RATE_HZ for chunk in chunks)
    assert [word.text for chunk in chunks for word in chunk.words]


@pytest.mark.parametrize("voice", ["emma", "fable", "../heart"])
async def test_another_voice_is_refused_and_never_downloaded(synthesizer: HibariSynthesizer, voice: str) -> None:
    with pytest.raises(InvalidFieldError) as refused:
        await anext(aiter(synthesizer.synthesize("Hello.", voice=voice)))
    assert refused.value.field == "voice"


@pytest.mark.parametrize("rate", [0.0, 0.49, 1.51, float("nan")])
async def test_a_rate_out_of_range_is_refused(synthesizer: HibariSynthesizer, rate: float) -> None:
    with pytest.raises(InvalidFieldError) as refused:
        await anext(aiter(synthesizer.synthesize("Hello.", rate=rate)))
    assert refused.value.field == "rate"


async def test_closing_stops_after_the_sentence_in_work(synthesizer: HibariSynthesizer) -> None:
    async with aclosing(synthesizer.synthesize("One. " * 200)) as chunks:
        await anext(chunks)
    assert len(asyncio.all_tasks()) == 1


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=40) | st.text(alphabet="aB3$%.,'-/@ \n€[]()", max_size=40))
def test_any_text_is_spoken_with_ordered_words(synthesizer: HibariSynthesizer, text: str) -> None:
    chunks = asyncio.run(_chunks(synthesizer, text))
    times = [time for chunk in chunks for word in chunk.words for time in (word.start_s, word.end_s)]
    assert times == sorted(times)


async def test_voices_side_by_side_do_not_mix() -> None:
    texts = ["Good morning!", "That costs $3.50, Dr. Smith.", "Zyxomma is a dragonfly.", "Well, I'd like two coffees."]
    async with Workers("synthesizing", threads=4, queue=64) as workers:
        synthesizer = await asyncio.to_thread(lambda: HibariSynthesizer.load(workers=workers))
        alone = [await _chunks(synthesizer, text) for text in texts]
        together = await asyncio.gather(*(_chunks(synthesizer, text) for text in texts * 8))
    assert together == alone * 8
