"""What is asked of each vendor in particular: that it leaves a learner's slips alone, and what only it can do."""

import json
from dataclasses import replace

import pytest

from mesh.workers import Workers
from services.ai_engine.adapters.openai_client import VERBATIM, OpenAiAccess
from services.ai_engine.providers.azure_recognizer import AzureRecognizer
from services.ai_engine.providers.deepgram import DeepgramRecognizer
from services.ai_engine.providers.deepgram_flux import FluxRecognizer
from services.ai_engine.providers.elevenlabs_recognizer import ScribeRecognizer
from services.ai_engine.providers.openai_realtime_transcription import OpenAiRealtimeRecognizer
from services.ai_engine.providers.openai_transcription import OpenAiRecognizer
from services.ai_engine.vendors import (
    AzureSpeechSettings,
    DeepgramSettings,
    ElevenLabsSettings,
    OpenAiSpeechSettings,
)
from tests.emulators.azure import AzureEmulator
from tests.emulators.deepgram import DeepgramEmulator
from tests.emulators.elevenlabs import ElevenLabsEmulator
from tests.emulators.openai_sound import OpenAiRealtimeEmulator, OpenAiSoundEmulator
from tests.emulators.speech import FRAME, HEARD
from tests.emulators.vendor import running

_SPEECH = FRAME * 50


async def test_deepgram_is_asked_for_the_language_and_to_change_nothing() -> None:
    async with running(DeepgramEmulator()) as emulator:
        recognizer = DeepgramRecognizer(DeepgramSettings(api_key="key-1", base_url=emulator.url, training=False))
        await recognizer.recognize(_SPEECH, language="es-419")
    asked = {name: values[0] for name, values in emulator.last.query.items()}
    assert asked["language"] == "es-419"
    assert asked["filler_words"] == asked["mip_opt_out"] == "true"
    assert [asked[name] for name in ("smart_format", "numerals", "profanity_filter")] == ["false"] * 3


async def test_what_deepgram_finishes_by_itself_is_part_of_the_text() -> None:
    async with running(DeepgramEmulator()) as emulator:
        recognizer = DeepgramRecognizer(DeepgramSettings(api_key="key-1", base_url=emulator.url))
        transcript = await recognizer.recognize(FRAME * 200, language="en")
    assert transcript.text == f"{HEARD} {HEARD}"
    assert len(transcript.words) == 2 * len(HEARD.split())


@pytest.mark.parametrize("confidence", [0.15, 0.92])
async def test_flux_tells_how_likely_the_turn_is_over(confidence: float) -> None:
    async with running(DeepgramEmulator(confidence=confidence)) as emulator:
        recognizer = FluxRecognizer(DeepgramSettings(api_key="key-1", base_url=emulator.url))
        assert recognizer.capabilities.turn_ends
        assert (await recognizer.recognize(_SPEECH, language="en")).turn_end == confidence


async def test_flux_in_many_languages_is_given_the_learners_target() -> None:
    async with running(DeepgramEmulator()) as emulator:
        settings = DeepgramSettings(api_key="key-1", base_url=emulator.url, flux_model="flux-general-multi")
        await FluxRecognizer(settings).recognize(_SPEECH, language="fr-CA")
    assert emulator.last.query["language_hint"] == ["fr"]
    assert emulator.last.query["numerals"] == emulator.last.query["profanity_filter"] == ["false"]


async def test_scribe_writes_verbatim() -> None:
    async with running(ElevenLabsEmulator()) as emulator:
        settings = ElevenLabsSettings(api_key="key-1", base_url=emulator.base_url)
        await ScribeRecognizer(settings).recognize(_SPEECH, language="pt-BR")
    asked = emulator.last.query
    assert (asked["no_verbatim"], asked["language_code"]) == (["false"], ["pt"])


@pytest.mark.parametrize("frames", [1, 3, 14])
async def test_scribe_takes_a_word_shorter_than_it_likes(frames: int) -> None:
    async with running(ElevenLabsEmulator()) as emulator:
        settings = ElevenLabsSettings(api_key="key-1", base_url=emulator.base_url)
        async with ScribeRecognizer(settings).hear(language="en") as hearing:
            for stretch in range(2):
                await hearing.feed(FRAME * frames)
                transcript = await hearing.transcript()
                assert transcript.text == HEARD
                # The silence that was added for the vendor's sake is not in the learner's time.
                assert transcript.words[0].start_s == pytest.approx(stretch * frames * 0.02, abs=0.005)


async def test_azure_masks_nothing_and_is_asked_for_a_locale() -> None:
    async with running(AzureEmulator()) as emulator, Workers("azure", threads=2, queue=4) as workers:
        settings = AzureSpeechSettings(api_key="key-1", host=emulator.url)
        await AzureRecognizer(settings, workers=workers).recognize(_SPEECH, language="de")
    asked = json.loads(emulator.last.texts[0])["phraseDetection"]
    assert emulator.last.query["language"] == ["de-DE"]
    assert emulator.last.query["profanity"] == ["raw"]
    assert asked["enrichment"]["profanity"] == "raw"
    assert "TrueText" not in emulator.last.texts[0]


async def test_azure_scores_each_word_where_it_may() -> None:
    async with running(AzureEmulator()) as emulator, Workers("azure", threads=2, queue=4) as workers:
        settings = AzureSpeechSettings(api_key="key-1", host=emulator.url)
        scored = await AzureRecognizer(settings, workers=workers).recognize(_SPEECH, language="en")
        plain = AzureRecognizer(replace(settings, pronunciation=False), workers=workers)
        unscored = await plain.recognize(_SPEECH, language="en")
    assert {word.pronunciation for word in scored.words} == {0.87}
    assert {word.pronunciation for word in unscored.words} == {None}
    assert not plain.capabilities.pronunciation


@pytest.mark.parametrize(("model", "prompt"), [("gpt-4o-mini-transcribe", VERBATIM), ("whisper-1", None)])
async def test_openai_is_asked_to_write_exactly_what_is_said(model: str, prompt: str | None) -> None:
    async with running(OpenAiSoundEmulator()) as emulator:
        settings = OpenAiSpeechSettings(transcription_model=model)
        recognizer = OpenAiRecognizer(OpenAiAccess(emulator.base_url, "key-1"), settings)
        await recognizer.recognize(_SPEECH, language="ja-JP")
        await recognizer.aclose()
    asked = json.loads(emulator.last.texts[0])
    assert (asked["model"], asked["language"], asked.get("prompt")) == (model, "ja", prompt)


async def test_openai_listening_along_is_asked_the_same_and_decides_nothing() -> None:
    async with running(OpenAiRealtimeEmulator()) as emulator:
        recognizer = OpenAiRealtimeRecognizer(OpenAiAccess(emulator.base_url, "key-1"), OpenAiSpeechSettings())
        async with recognizer.hear(language="it") as hearing:
            # A twentieth of a second: less than OpenAI takes.
            await hearing.feed(FRAME * 2)
            assert (await hearing.transcript()).text == HEARD
        await recognizer.aclose()
    given = json.loads(emulator.last.texts[0])["session"]["audio"]["input"]
    assert given["transcription"] == {"model": "gpt-4o-transcribe", "language": "it", "prompt": VERBATIM}
    assert given["turn_detection"] is None
