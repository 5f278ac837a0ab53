"""Recognises whole turns with OpenAI's transcription models, over HTTP."""

import io
import wave
from typing import Final

import openai

from services.ai_engine.adapters.at_once import checked_language
from services.ai_engine.adapters.faults_of_vendors import Faults
from services.ai_engine.adapters.loudness import Loudness
from services.ai_engine.adapters.openai_client import OPENAI_LANGUAGES, VERBATIM, OpenAiAccess, openai_client
from services.ai_engine.domain.roles import HEARING_RATE_HZ, Capabilities, Transcript
from services.ai_engine.vendors import OpenAiSpeechSettings

_FAULTS: Final = Faults("openai", "OpenAI")
#: Takes a prompt for words to expect.
_LITERAL: Final = "whisper-1"


class OpenAiRecognizer:
    """Transcriptions over HTTP (Recognizer). Word times are estimates."""

    name = "openai"

    def __init__(self, access: OpenAiAccess, settings: OpenAiSpeechSettings) -> None:
        self._model = settings.transcription_model
        self._client = openai_client(access, _FAULTS)
        self.capabilities = Capabilities(
            languages=OPENAI_LANGUAGES,
            local=False,
            paid=True,
            model=self._model,
            label=f"OpenAI {self._model}: hears many languages, may tidy up slips; the sound goes to the endpoint.",
            word_times=True,
        )

    async def recognize(self, pcm: bytes, *, language: str) -> Transcript:
        """Transcribes PCM at 16 kHz in one request. Raises InvalidFieldError and ProviderError."""
        subtag = checked_language(language, OPENAI_LANGUAGES)
        with _FAULTS.told():
            heard = await self._client.audio.transcriptions.create(
                file=("turn.wav", _wav(pcm), "audio/wav"),
                model=self._model,
                language=subtag,
                prompt=openai.omit if self._model == _LITERAL else VERBATIM,
                response_format="json",
                temperature=0.0,
            )
        loudness = Loudness()
        loudness.feed(pcm)
        text = heard.text.strip()
        return Transcript(text, loudness.words(text))

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._client.close()


def _wav(pcm: bytes) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(HEARING_RATE_HZ)
        sound.writeframes(pcm)
    return file.getvalue()
