"""Real speech through emulated vendors: a session hears with one, speaks with another, and knows neither by name."""

from contextlib import AsyncExitStack

import pytest

from mesh.audio import duration_s
from mesh.workers import Workers
from services.ai_engine.domain.roles import StreamingRecognizer, StreamingSynthesizer, Synthesizer
from services.ai_engine.domain.run import (
    Recognize,
    ReplyAudioProduced,
    ReplyTextProduced,
    SpeechEnded,
    SpeechStarted,
    TranscriptRevised,
)
from services.ai_engine.providers.azure_recognizer import AzureRecognizer
from services.ai_engine.providers.azure_synthesizer import AzureSynthesizer
from services.ai_engine.providers.deepgram import DeepgramRecognizer
from services.ai_engine.providers.elevenlabs_synthesizer import ElevenLabsSynthesizer
from services.ai_engine.providers.whisper import WhisperRecognizer
from services.ai_engine.vendors import AzureSpeechSettings, DeepgramSettings, ElevenLabsSettings
from tests.emulators.azure import AzureEmulator
from tests.emulators.deepgram import DeepgramEmulator
from tests.emulators.elevenlabs import ElevenLabsEmulator
from tests.emulators.speech import real_ears, real_mouth
from tests.emulators.vendor import running
from tests.services.ai_engine.clips import silence, spoken
from tests.services.ai_engine.scripted import ScriptedModel, talk

_SAID = "I would like a cup of tea and a piece of cake."
_FRAME_BYTES = 640


@pytest.mark.models
@pytest.mark.parametrize("vendors", ["deepgram and elevenlabs", "azure"])
async def test_a_spoken_turn_is_heard_along_and_answered_aloud(
    vendors: str, recognizer: WhisperRecognizer, synthesizer: Synthesizer
) -> None:
    async with AsyncExitStack() as stack:
        hears: StreamingRecognizer
        speaks: StreamingSynthesizer
        if vendors == "azure":
            azure = await stack.enter_async_context(
                running(AzureEmulator(hears=real_ears(recognizer), says=real_mouth(synthesizer)))
            )
            workers = await stack.enter_async_context(Workers("azure", threads=4, queue=16))
            settings = AzureSpeechSettings(api_key="key-1", host=azure.url)
            hears, speaks = AzureRecognizer(settings, workers=workers), AzureSynthesizer(settings, workers=workers)
        else:
            ears = await stack.enter_async_context(running(DeepgramEmulator(hears=real_ears(recognizer))))
            mouth = await stack.enter_async_context(running(ElevenLabsEmulator(says=real_mouth(synthesizer))))
            hears = DeepgramRecognizer(DeepgramSettings(api_key="key-1", base_url=ears.url))
            speaks = ElevenLabsSynthesizer(ElevenLabsSettings(api_key="key-1", base_url=mouth.base_url))
        model = ScriptedModel("One tea, coming up. ", "Would you like milk with it?")
        talking = await stack.enter_async_context(talk(recognizer=hears, synthesizer=speaks, language_model=model))
        pcm = silence(0.4) + await spoken(synthesizer, _SAID) + silence(0.5)
        await talking.hear(*(pcm[begin : begin + _FRAME_BYTES] for begin in range(0, len(pcm), _FRAME_BYTES)))
        ended = (await talking.listener.until(SpeechEnded))[-1].at_sample
        began = talking.listener.all(SpeechStarted)[0].at_sample
        await talking.handle(Recognize("t1", 1, began, ended))
        (told,) = await talking.listener.until(TranscriptRevised)
        assert told.text.lower().rstrip(".") == _SAID.lower().rstrip(".")
        assert 0 <= told.words[0].start_sample < told.words[-1].end_sample <= ended - began + 3200
        await talking.respond()
        finished = await talking.finished()
    assert finished.end == "complete"
    text = "".join(each.text for each in talking.listener.all(ReplyTextProduced))
    sound = b"".join(each.pcm for each in talking.listener.all(ReplyAudioProduced))
    words = [word for each in talking.listener.all(ReplyAudioProduced) for word in each.words]
    assert [word.text for word in words] == text.split()
    assert words[-1].end_sample <= finished.total_samples
    assert 2 < duration_s(sound, 24_000) < 6
