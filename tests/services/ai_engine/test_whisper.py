import asyncio
import re
from pathlib import Path

import pytest

from mesh.errors import InvalidFieldError, OverloadedError, ProviderError
from mesh.workers import Workers
from services.ai_engine.domain.roles import HEARING_RATE_HZ, Synthesizer
from services.ai_engine.models import ModelSettings, locate
from services.ai_engine.providers.whisper import WhisperRecognizer
from tests.services.ai_engine.clips import music, noise, silence, spoken

_SENTENCES = (
    "Yesterday I went to the supermarket and bought many vegetables.",
    "How do I ask politely for the bill?",
    "My brother has lived in Tokyo for five years.",
    "Could you tell me where the nearest train station is?",
    "I would like a table for two people near the window.",
    "If I had known about the party, I would have come.",
    "The weather is getting colder, so I need a new coat.",
    "Yes, please.",
    "Good morning.",
    "Can you speak a little more slowly?",
)
_DIGITS = {"two": "2", "five": "5"}


def _words(text: str) -> list[str]:
    return [_DIGITS.get(word, word) for word in re.findall(r"[a-z0-9']+", text.lower())]


def _word_errors(said: list[str], heard: list[str]) -> int:
    """Fewest words to add, drop or exchange."""
    row = list(range(len(heard) + 1))
    for word in said:
        diagonal, row[0] = row[0], row[0] + 1
        for place, other in enumerate(heard, 1):
            diagonal, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, diagonal + (word != other))
    return row[-1]


async def test_clear_english_is_understood(recognizer: WhisperRecognizer, synthesizer: Synthesizer) -> None:
    errors = words = 0
    for sentence in _SENTENCES:
        transcript = await recognizer.recognize(await spoken(synthesizer, sentence), language="en")
        errors += _word_errors(_words(sentence), _words(transcript.text))
        words += len(_words(sentence))
    assert errors / words <= 0.05


async def test_english_in_noise_is_understood(recognizer: WhisperRecognizer, synthesizer: Synthesizer) -> None:
    pcm = silence(0.3) + await spoken(synthesizer, _SENTENCES[2]) + noise(2, loudness=0.02)
    transcript = await recognizer.recognize(pcm, language="en")
    assert _word_errors(_words(_SENTENCES[2]), _words(transcript.text)) <= 1


@pytest.mark.parametrize("loudness", [0.003, 0.03, 0.3])
@pytest.mark.parametrize("slope", [0, 1, 2])
@pytest.mark.parametrize("seconds", [0.5, 4])
async def test_noise_gives_no_text(
    recognizer: WhisperRecognizer, seconds: float, slope: float, loudness: float
) -> None:
    transcript = await recognizer.recognize(noise(seconds, loudness=loudness, slope=slope), language="en")
    assert transcript.text == ""
    assert transcript.words == ()


@pytest.mark.parametrize("pcm", [b"", silence(0.01), silence(3), silence(65), music(5)])
async def test_silence_and_music_give_no_text(recognizer: WhisperRecognizer, pcm: bytes) -> None:
    assert (await recognizer.recognize(pcm, language="en")).text == ""


async def test_a_sentence_said_twice_is_kept_twice(recognizer: WhisperRecognizer, synthesizer: Synthesizer) -> None:
    text = "I want to go to the station. I want to go to the station."
    transcript = await recognizer.recognize(await spoken(synthesizer, text), language="en")
    assert _words(transcript.text) == _words(text)


async def test_more_than_half_a_minute_is_heard_whole(recognizer: WhisperRecognizer, synthesizer: Synthesizer) -> None:
    text = " ".join(_SENTENCES * 2)
    pcm = await spoken(synthesizer, text)
    assert len(pcm) > 40 * 2 * HEARING_RATE_HZ
    transcript = await recognizer.recognize(pcm, language="en")
    assert _word_errors(_words(text), _words(transcript.text)) / len(_words(text)) < 0.05
    starts = [word.start_s for word in transcript.words]
    assert starts == sorted(starts)
    assert 40 < starts[-1] < len(pcm) / 2 / HEARING_RATE_HZ


async def test_estimated_words_lie_within_the_speech(recognizer: WhisperRecognizer, synthesizer: Synthesizer) -> None:
    speech = await spoken(synthesizer, _SENTENCES[2])
    transcript = await recognizer.recognize(silence(1) + speech + silence(1), language="en")
    assert " ".join(word.text for word in transcript.words) == transcript.text
    assert transcript.words[0].start_s >= 0.9
    assert transcript.words[-1].end_s <= 1.1 + len(speech) / 2 / HEARING_RATE_HZ


async def test_aligned_words_are_where_the_voice_says_them(
    models: ModelSettings, workers: Workers, synthesizer: Synthesizer
) -> None:
    recognizer = WhisperRecognizer.load(locate("whisper", models), workers=workers, word_times="aligned")
    said = [word async for chunk in synthesizer.synthesize(_SENTENCES[3]) for word in chunk.words]
    transcript = await recognizer.recognize(await spoken(synthesizer, _SENTENCES[3]), language="en")
    assert len(said) == len(transcript.words)
    for word, heard in zip(said, transcript.words, strict=True):
        assert heard.start_s == pytest.approx(word.start_s, abs=0.3)
        assert heard.confidence is not None
        assert 0 <= heard.confidence <= 1


async def test_regional_tags_of_a_known_language_are_accepted(
    recognizer: WhisperRecognizer, synthesizer: Synthesizer
) -> None:
    assert (await recognizer.recognize(await spoken(synthesizer, "Good morning."), language="en-GB")).text


@pytest.mark.parametrize("language", ["de", "", "english", "zz"])
async def test_an_unknown_language_is_refused(recognizer: WhisperRecognizer, language: str) -> None:
    with pytest.raises(InvalidFieldError) as refused:
        await recognizer.recognize(silence(1), language=language)
    assert refused.value.field == "language"


async def test_a_full_queue_is_refused(models: ModelSettings, synthesizer: Synthesizer) -> None:
    pcm = await spoken(synthesizer, "Good morning.")
    async with Workers("recognizing", threads=1, queue=1) as workers:
        recognizer = WhisperRecognizer.load(locate("whisper", models), workers=workers)
        answers = await asyncio.gather(
            *(recognizer.recognize(pcm, language="en") for _ in range(4)), return_exceptions=True
        )
    assert sum(isinstance(answer, OverloadedError) for answer in answers) == 2


def test_a_folder_without_a_model_is_refused(tmp_path: Path, workers: Workers) -> None:
    with pytest.raises(ProviderError, match="viva models verify"):
        WhisperRecognizer.load(tmp_path, workers=workers)
